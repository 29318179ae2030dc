"""Write files atomically: whatever interrupts the write, a file is either complete or absent."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SUFFIX = ".partial"
_CAN_SYNC_FOLDERS = os.name == "posix"  # Windows cannot open a folder


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path, and move the file written there to `path` when the block ends.

    If the block raises, the temporary file is removed and `path` stays as it was. Missing parent folders are
    created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(_SUFFIX, prefix=f".{path.name}.", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        yield temporary
        # The data must be on disk before the new name is: otherwise a power cut could leave an empty file.
        # Windows flushes only files that are open for writing, hence "r+b".
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)


def remove_partial_files(folder: Path) -> None:
    """Remove what killed calls of `atomic_write` left in `folder`. No other process may be writing to it."""
    for partial in folder.glob(f".*{_SUFFIX}"):
        if partial.is_dir():
            shutil.rmtree(partial)


def _sync_folder(folder: Path) -> None:
    """Put the new name of a file on disk, so that a power cut cannot bring the old file back.

    Without it, as on Windows, a power cut leaves either the new file or the old one, both complete.
    """
    if not _CAN_SYNC_FOLDERS:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot sync a folder either
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
