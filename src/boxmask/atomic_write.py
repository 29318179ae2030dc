"""Writing files so that each is either complete or not there, whatever interrupts the writing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, which becomes `path` if the block ends well and else is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())  # a power cut must not leave the new name with nothing behind it
        temporary.replace(path)


def remove_partial_files(folder: Path) -> None:
    """Take away what a killed `atomic_write` left behind in a folder that nobody writes to now."""
    for left in folder.glob(".*.*"):
        if left.is_dir():
            shutil.rmtree(left)
