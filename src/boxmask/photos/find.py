"""Find photo files by paths, folders and glob patterns."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from boxmask.errors import PhotoError
from boxmask.file_kinds import PHOTO_SUFFIXES
from boxmask.photos.folders import visible_files


def find_photos(inputs: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the photo files that the inputs name, in the order of the inputs, each once.

    An input is a photo, a folder (searched with its subfolders) or a glob pattern. Folders and patterns give
    the visible files that end in one of PHOTO_SUFFIXES, sorted; a photo named directly may end in anything.
    Raises PhotoError for an input that matches nothing.
    """
    photos: dict[Path, Path] = {}
    for given in [inputs] if isinstance(inputs, str | Path) else inputs:
        matches = _photos_of(Path(given))
        if not matches:
            raise PhotoError(f"{given}: {_why_nothing(Path(given))}")
        for photo in matches:
            photos.setdefault(photo.resolve(), photo)
    return list(photos.values())


def _photos_of(given: Path) -> list[Path]:
    if given.is_dir():
        return [path for path in visible_files(given) if path.suffix.lower() in PHOTO_SUFFIXES]
    if given.is_file():
        return [given]
    pattern = str(given)  # may be absolute, which Path.glob does not accept
    matches = [Path(match) for match in glob.glob(pattern, recursive=True)]  # noqa: PTH207
    files = [match for match in matches if match.suffix.lower() in PHOTO_SUFFIXES and not match.is_dir()]
    in_folders = [photo for match in matches if match.is_dir() for photo in _photos_of(match)]
    return sorted({*files, *in_folders})


def _why_nothing(given: Path) -> str:
    if given.is_dir():
        return f"this folder contains no photos (files ending in {', '.join(PHOTO_SUFFIXES)})."
    if glob.has_magic(str(given)):
        return f"this pattern matches no photos (files ending in {', '.join(PHOTO_SUFFIXES)})."
    return "no such photo or folder. Check the path."
