"""Folders in the user's cache that are filled once: unpacked archives, and photos out of label files."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from boxmask.atomic_write import output_error
from boxmask.cache_folder import cache_folder

KEPT_FREE = 2**30
"""Bytes of the disk that are left free."""


def filled_folder(section: str, name: str, version: str, fill: Callable[[Path], None]) -> Path:
    """A folder of the cache that is filled, now or earlier.

    section: the folder of the cache that it lies in
    version: what its content depends on; for another version, another folder is filled
    fill:    writes the content. The folder appears once it returns: nothing is half-written.

    Raises what `fill` raises, and OutputError if the cache cannot be written or the disk is full.
    """
    digest = hashlib.sha256(version.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    folder = cache_folder() / section / f"{name}-{digest}"
    if not folder.is_dir():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):
                if not folder.is_dir():  # another process may have been faster
                    _fill(folder, fill)
        except OSError as error:
            raise output_error(folder, error) from error
    return folder


def _fill(folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder beside the final one, and rename it at the end."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # left by a process that was killed
    try:
        partial.mkdir()
        fill(partial)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def free_bytes(folder: Path) -> int:
    """The bytes that may be written to the disk of a folder."""
    return shutil.disk_usage(folder).free - KEPT_FREE
