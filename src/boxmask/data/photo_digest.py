"""The digest of a photo, by which it is recognized under another name."""

from __future__ import annotations

import hashlib
from pathlib import Path

_CHUNK = 16_384


def photo_digest(path: Path) -> str:
    """The size of a file, and a hash of its beginning, middle and end; "" if it cannot be read.

    Reading three pieces takes no longer than reading the headers of all photos does.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            for start in sorted({0, max(0, size // 2 - _CHUNK // 2), max(0, size - _CHUNK)}):
                file.seek(start)
                digest.update(file.read(_CHUNK))
    except OSError:
        return ""
    return f"{size}-{digest.hexdigest()[:16]}"
