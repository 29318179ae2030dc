"""Check that a photo file is complete, from its end where its format allows it, else by decoding it.

Reading the end takes little longer than reading the header. Decoding takes much longer.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from PIL import Image

from boxmask.photos.formats import DECODER_ERRORS
from boxmask.photos.read import load_photo, open_image


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


def _is_complete(image: Image.Image, path: Path) -> bool:
    """Whether the file of a photo ends as its format says. False for formats without such an end."""
    try:
        match image.format:
            case "JPEG" | "MPO":
                return _end(path, 2) == b"\xff\xd9"
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
