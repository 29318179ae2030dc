"""Find the photos that paths, folders and globs name."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from boxmask.errors import PhotoError
from boxmask.photos.folders import visible_files

PHOTO_ENDINGS = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".bmp",
    ".tif",
    ".tiff",
    ".webp",
    ".gif",
    ".avif",
    ".jp2",
    ".ppm",
    ".pgm",
    ".pbm",
    ".pnm",
)


def find_photos(inputs: str | Path | Sequence[str | Path]) -> list[Path]:
    """The photo files that are meant by photos, folders (searched to the bottom) and globs, in that order.

    Folders and globs give files that end in one of PHOTO_ENDINGS, sorted, without hidden ones; a file that
    is named outright is taken as it is. What is meant twice is given once.
    Raises PhotoError for an input that matches nothing.
    """
    found: dict[Path, Path] = {}
    for given in [inputs] if isinstance(inputs, str | Path) else inputs:
        photos = _photos_of(Path(given))
        if not photos:
            raise PhotoError(f"{given}: {_why_nothing(Path(given))}")
        for photo in photos:
            found.setdefault(photo.resolve(), photo)
    return list(found.values())


def _photos_of(given: Path) -> list[Path]:
    if given.is_dir():
        return [path for path in visible_files(given) if path.suffix.lower() in PHOTO_ENDINGS]
    if given.is_file():
        return [given]
    pattern = str(given)  # may be absolute, which Path.glob refuses
    matches = [Path(match) for match in glob.glob(pattern, recursive=True)]  # noqa: PTH207
    files = [match for match in matches if match.suffix.lower() in PHOTO_ENDINGS and not match.is_dir()]
    folders = [photo for match in matches if match.is_dir() for photo in _photos_of(match)]
    return sorted({*files, *folders})


def _why_nothing(given: Path) -> str:
    if given.is_dir():
        return f"this folder holds no photo (looked for names ending in {', '.join(PHOTO_ENDINGS)})."
    if glob.has_magic(str(given)):
        return f"matches no photo (looked for names ending in {', '.join(PHOTO_ENDINGS)})."
    return "there is no such photo or folder. Check the spelling."
