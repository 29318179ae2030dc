"""Copy or link photos into the data set that is written. Their content is never changed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

from boxmask.errors import OutputError, PhotoError

PhotoMode: TypeAlias = Literal["copy", "link", "none"]
"""What to do with photos: copy them, link to them, or write labels only."""


def place_photo(photo: Path, folder: Path, file: str, mode: PhotoMode) -> None:
    """Copy or link a photo to the path `file` in a folder.

    Links are hard links; where the disk has none, they are symbolic links.

    Raises PhotoError if the photo cannot be read, and OutputError for a path outside the folder, or one where
    there is a file.
    """
    if mode == "none":
        return
    target = folder / _checked(file)
    if os.path.lexists(target):
        raise OutputError(f"{target}: cannot be written (there is another photo of this name).")
    target.parent.mkdir(parents=True, exist_ok=True)
    if mode == "link":
        _link(photo.resolve(), target)
    else:
        _copy(photo, target)


def _checked(file: str) -> PurePosixPath:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or "\0" in file:
        raise OutputError(f"{file!r}: cannot be written (it lies outside the folder).")
    return path


def _link(photo: Path, target: Path) -> None:
    try:
        os.link(photo, target)
    except OSError:  # another disk, or a disk without hard links
        target.symlink_to(photo)


def _copy(photo: Path, target: Path) -> None:
    """Copy the content alone: the new file gets the default permissions."""
    try:
        source = photo.open("rb")
    except OSError as error:
        raise PhotoError(f"{photo}: this photo cannot be read ({error}). Check its permissions.") from error
    with source, target.open("xb") as copy:
        shutil.copyfileobj(source, copy, 2**20)
