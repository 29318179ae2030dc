"""One pass over the pixels of all photos, in parallel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from boxmask.data.photo_records.records import PhotoRecords

Progress: TypeAlias = Callable[[int, int], None]
"""Called after each photo with the number of photos done and of all photos."""


def examine_photos(root: Path, files: Sequence[str], progress: Progress | None = None) -> PhotoRecords:
    """Decode every photo once, and keep a record of fixed size of each. Raises nothing for damaged photos.

    files: relative to `root`, with "/"; the records are in their order
    """
    raise NotImplementedError
