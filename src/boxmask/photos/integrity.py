"""Check that a photo file is complete, from its end where its format allows it, else by decoding it.

Reading the end takes little longer than reading the header. Decoding takes much longer.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from PIL import Image

from boxmask.errors import PhotoError
from boxmask.photos.errors import photo_errors
from boxmask.photos.formats import DECODER_ERRORS
from boxmask.photos.read import load_photo, open_image

_JPEG_BEGINNING, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
_FILLING = 512  # bytes of zeros at the end that no picture consists of


def check_intact(path: str | Path, *, decode: bool = False) -> None:
    """Raise PhotoError, naming the file, if a photo is truncated or damaged.

    A complete file may still be damaged in the middle. Only decoding finds that, except for PNG, which has
    checksums.

    decode: decode the photo even if its file is complete
    """
    with open_image(path) as image:
        complete = not decode and _is_complete(image, Path(path))
    if not complete:
        load_photo(path)
        check_not_cut_off(path)


def check_not_cut_off(path: str | Path) -> None:
    """Raise PhotoError, naming the file, for a JPEG whose end is missing and filled with zeros.

    Interrupted downloads leave such files. They have their full length, and decoders read the zeros as gray.
    """
    with photo_errors(path), Path(path).open("rb") as file:
        is_jpeg = file.read(2) == _JPEG_BEGINNING
        file.seek(-min(_FILLING, file.seek(0, os.SEEK_END)), os.SEEK_END)
        if not is_jpeg or file.read().strip(b"\0"):
            return
        file.seek(0)
        content = file.read()
        if content.rfind(_JPEG_END) < content.rfind(_JPEG_SCAN):  # both are markers that no scan contains
            raise PhotoError(
                "this photo is truncated: its end is missing, and zeros are in its place. "
                "Replace it with an intact copy, or remove it and its labels."
            )


def _is_complete(image: Image.Image, path: Path) -> bool:
    """Whether the file of a photo ends as its format says. False for formats without such an end."""
    try:
        match image.format:
            case "JPEG" | "MPO":
                return _end(path, 2) == _JPEG_END
            case "PNG":
                image.verify()
                return True
            case "WEBP":
                with path.open("rb") as file:
                    return int.from_bytes(file.read(8)[4:], "little") + 8 <= path.stat().st_size
            case "AVIF" | "HEIF":
                with path.open("rb") as file:
                    return _consists_of_boxes(file, path.stat().st_size)
    except DECODER_ERRORS:
        return False  # decoding tells what is wrong
    return False


def _end(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        file.seek(-count, os.SEEK_END)
        return file.read()


def _consists_of_boxes(file: IO[bytes], size: int) -> bool:
    """Whether the file consists of whole boxes (ISO/IEC 14496-12, section 4.2)."""
    position = 0
    while position < size:
        file.seek(position)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:  # a length of 64 bits follows
            length = int.from_bytes(header[8:], "big")
        elif length == 0:  # up to the end of the file
            length = size - position
        if length < 8:
            return False
        position += length
    return position == size
