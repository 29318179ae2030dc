"""Read the JSON files that jobs write. A file that is missing, being written, or damaged holds nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MAX_BYTES = 64 * 2**20


class JsonFiles:
    """Files that are read again only when they have changed."""

    def __init__(self, limit: int = 32) -> None:
        self._known: dict[Path, tuple[int, dict[str, Any]]] = {}
        self._limit = limit

    def read(self, file: Path) -> dict[str, Any]:
        """The object in a file."""
        try:
            status = file.stat()
            known = self._known.get(file)
            if known is not None and known[0] == status.st_mtime_ns:
                return known[1]
            if status.st_size > MAX_BYTES:
                return {}
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        content = content if isinstance(content, dict) else {}
        while len(self._known) >= self._limit:
            self._known.pop(next(iter(self._known)))
        self._known[file] = (status.st_mtime_ns, content)
        return content
