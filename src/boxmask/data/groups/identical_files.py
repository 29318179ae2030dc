"""Files with the same bytes."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from boxmask.data.findings import Kind

PHOTO_COPIES = Kind(
    "photo-copies",
    "note",
    "Copies of photos",
    "Keep one of each. Copies weigh more in training, and make the metrics look more certain than they are.",
)


def identical_files(root: Path, files: Iterable[str]) -> list[list[str]]:
    """Groups of two or more files with the same content. Only files of the same length are read."""
    by_length: dict[int, list[str]] = defaultdict(list)
    for file in files:
        path = root / file
        if path.is_file():
            by_length[path.stat().st_size].append(file)
    by_content: dict[bytes, list[str]] = defaultdict(list)
    for group in by_length.values():
        for file in group if len(group) > 1 else ():
            if digest := _digest(root / file):
                by_content[digest].append(file)
    return [group for group in by_content.values() if len(group) > 1]


def _digest(path: Path) -> bytes:
    """The digest of a file; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b""
