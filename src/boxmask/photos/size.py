"""The size of a photo file from its header alone, with its EXIF orientation applied or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import ExifTags, Image, ImageOps

from boxmask.photos.read import photo_errors

_SIDEWAYS = (5, 6, 7, 8)  # the EXIF orientations that exchange height and width
_PNG_CHUNKS_WITH_ORIENTATION = {b"eXIf", b"iTXt", b"tEXt", b"zTXt"}


def photo_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of a photo file as it is shown, from its header alone.

    Only a TIFF that is not stored upright is decoded, because Pillow's versions differ in how they open it.
    Raises PhotoError, naming the file, if it is missing or its header cannot be read.
    """
    with photo_errors(path), Image.open(path) as image:
        orientation = _orientation(image, Path(path))
        if image.format == "TIFF" and orientation != 1:
            ImageOps.exif_transpose(image, in_place=True)
            return image.height, image.width
        width, height = image.size
        return (width, height) if orientation in _SIDEWAYS else (height, width)


def stored_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of a photo file before its EXIF orientation is applied, as some label tools see it."""
    with photo_errors(path), Image.open(path) as image:
        sideways = _orientation(image, Path(path)) in _SIDEWAYS
    height, width = photo_size(path)
    return (width, height) if sideways else (height, width)


def _orientation(image: Image.Image, path: Path) -> int:
    """The EXIF orientation, 1..8, 1 being upright.

    A PNG may store it behind its pixels, so Pillow decodes the whole file to find it. Most PNGs have no
    chunk that could hold an orientation and need no decoding.
    """
    if image.format == "PNG" and not _PNG_CHUNKS_WITH_ORIENTATION & set(_png_chunks(path)):
        return 1
    return int(image.getexif().get(ExifTags.Base.Orientation, 1))


def _png_chunks(path: Path) -> Iterator[bytes]:
    """The types of a PNG's chunks, read by jumping from header to header."""
    with path.open("rb") as file:
        file.seek(8)  # the signature
        while len(head := file.read(8)) == 8:
            yield head[4:]
            file.seek(int.from_bytes(head[:4], "big") + 4, 1)  # the content and its checksum
