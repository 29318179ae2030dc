"""The files in a folder, listed in the same way everywhere: sorted, without hidden files, following links."""

from __future__ import annotations

import os
from pathlib import Path


def visible_files(folder: Path) -> list[Path]:
    """Return all files in a folder and its subfolders, sorted, as paths that begin with `folder`.

    Files and folders whose names begin with a dot are skipped. Links to folders are followed, and each folder
    is visited once. Broken links are listed, so that opening them raises an error.
    """
    files: list[Path] = []
    visited: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files.extend(Path(parent, name) for name in names if not name.startswith("."))
    return sorted(files, key=_parts)


def _parts(file: Path) -> str:
    """The path with its parts in the order of `Path`, which compares slowly."""
    text = os.path.normcase(file)
    return text.replace(os.sep, "\0")
