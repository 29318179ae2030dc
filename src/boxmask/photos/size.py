"""The size of a photo file, read from its header, with or without its EXIF orientation."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

from boxmask.errors import PhotoError
from boxmask.photos.errors import photo_errors
from boxmask.photos.formats import SIDEWAYS
from boxmask.photos.read import open_image, orientation

_PNG_CHUNKS_WITH_ORIENTATION = {b"eXIf", b"iTXt", b"tEXt", b"zTXt"}


def photo_size(path: str | Path) -> tuple[int, int]:
    """Return the (height, width) of a photo file as it is shown.

    Only the header is read. The exception is a TIFF that is stored rotated: it is decoded, because versions
    of Pillow open it differently. Raises PhotoError, naming the file, if it is missing or its header damaged.
    """
    with open_image(path) as image:
        turned = _orientation(image, Path(path))
        if image.format == "TIFF" and turned != 1:
            with photo_errors(path):
                ImageOps.exif_transpose(image, in_place=True)
            return image.height, image.width
        width, height = image.size
        return (width, height) if turned in SIDEWAYS else (height, width)


def stored_size(path: str | Path) -> tuple[int, int]:
    """Return the (height, width) of a photo file without its EXIF orientation, as some tools report it."""
    with open_image(path) as image:
        sideways = _orientation(image, Path(path)) in SIDEWAYS
    height, width = photo_size(path)
    return (width, height) if sideways else (height, width)


def is_rotated(path: str | Path) -> bool:
    """Return whether a photo file is shown rotated or mirrored, by its EXIF orientation."""
    with open_image(path) as image:
        return _orientation(image, Path(path)) != 1


def _orientation(image: Image.Image, path: Path) -> int:
    """Return the EXIF orientation, 1..8; 1 is upright.

    A PNG may store it after its pixels, so Pillow decodes the whole file to find it. Most PNGs have no chunk
    that could hold an orientation and are not decoded.
    """
    if image.format == "PNG" and not _PNG_CHUNKS_WITH_ORIENTATION & _png_chunks(path):
        return 1
    return orientation(image)


def _png_chunks(path: Path) -> set[bytes]:
    """Return the types of a PNG's chunks, reading only their headers."""
    kinds = set()
    try:
        with path.open("rb") as file:
            file.seek(8)  # the signature
            while len(header := file.read(8)) == 8:
                kinds.add(header[4:])
                file.seek(int.from_bytes(header[:4], "big") + 4, 1)  # the content and its checksum
    except OSError as error:
        raise PhotoError.in_file(
            path, f"this photo cannot be read ({error}). Check its permissions."
        ) from error
    return kinds
