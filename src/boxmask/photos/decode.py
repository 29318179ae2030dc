"""Read photo files and PIL images: upright RGB, whatever is stored.

- The EXIF orientation is applied, exactly once.
- Of an animation or a file with several pages, the first frame is taken.
- How transparency, 16-bit values and floats become RGB is in `photos/rgb.py`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from boxmask.errors import PhotoError
from boxmask.photos.rgb import channels_first, to_rgb

_SIDEWAYS = (5, 6, 7, 8)  # the EXIF orientations that exchange height and width
_PNG_CHUNKS_WITH_ORIENTATION = {b"eXIf", b"iTXt", b"tEXt", b"zTXt"}
# What Pillow's decoders have been seen to raise on damaged bytes. TypeError and AttributeError are among
# them: Pillow raises both when a header promises what the file does not hold.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def load_photo(path: str | Path) -> UInt8[np.ndarray, "H W 3"]:
    """Read a photo file as it is shown: (H, W, 3) uint8 RGB.

    Raises PhotoError, naming the file, if it is missing, truncated or not an image.
    """
    with naming(path), Image.open(path) as image:
        return rgb_of_pil(image).permute(1, 2, 0).numpy()


def photo_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of a photo file as it is shown, from its header alone.

    Only a TIFF that is not stored upright is decoded, because Pillow's versions differ in how they open it.
    Raises PhotoError, naming the file, if it is missing or its header cannot be read.
    """
    with naming(path), Image.open(path) as image:
        orientation = _orientation(image, Path(path))
        if image.format == "TIFF" and orientation != 1:
            ImageOps.exif_transpose(image, in_place=True)
            return image.height, image.width
        width, height = image.size
        return (width, height) if orientation in _SIDEWAYS else (height, width)


def stored_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of a photo file before its EXIF orientation is applied, as some label tools see it."""
    with naming(path), Image.open(path) as image:
        sideways = _orientation(image, Path(path)) in _SIDEWAYS
    height, width = photo_size(path)
    return (width, height) if sideways else (height, width)


def rgb_of_pil(image: Image.Image) -> UInt8[Tensor, "3 H W"]:
    """Decode, turn upright and reduce to eight bits and three channels."""
    rgb = to_rgb(channels_first(_array_of_pil(_upright(image))))
    return (rgb * 255).round().to(torch.uint8) if rgb.is_floating_point() else rgb


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Turn whatever goes wrong with a photo into a PhotoError that names it and says what to do."""
    try:
        yield
    except PhotoError as error:
        raise PhotoError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise PhotoError(f"{path}: there is no such photo. Check the spelling and the folder.") from error
    except IsADirectoryError as error:
        raise PhotoError(f"{path}: this is a folder, where one photo was expected.") from error
    except PermissionError as error:
        raise PhotoError(f"{path}: this photo may not be read. Change its permissions.") from error
    except UnidentifiedImageError as error:
        advice = "Convert it to JPEG or PNG, or leave it out."
        raise PhotoError(f"{path}: not a photo in a format that can be read. {advice}") from error
    except _DECODER_ERRORS as error:
        advice = "Replace it by an intact copy, or remove it together with its labels."
        raise PhotoError(f"{path}: this photo is damaged or truncated ({error}). {advice}") from error


def _orientation(image: Image.Image, path: Path) -> int:
    """The EXIF orientation, 1..8, 1 being upright.

    A PNG may carry it behind its pixels, so Pillow decodes all of it to look; most have no chunk that could
    hold one, and are spared that.
    """
    if image.format == "PNG" and not _PNG_CHUNKS_WITH_ORIENTATION & set(_png_chunks(path)):
        return 1
    return int(image.getexif().get(ExifTags.Base.Orientation, 1))


def _png_chunks(path: Path) -> Iterator[bytes]:
    """The types of a PNG's chunks, found by hopping from header to header."""
    with path.open("rb") as file:
        file.seek(8)  # the signature
        while len(head := file.read(8)) == 8:
            yield head[4:]
            file.seek(int.from_bytes(head[:4], "big") + 4, 1)  # the content and its checksum


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; the photo itself, not a copy, where there is none."""
    image.load()  # a TIFF turns itself upright while loading, and forgets its orientation
    return ImageOps.exif_transpose(image) if image.getexif().get(ExifTags.Base.Orientation, 1) != 1 else image


def _array_of_pil(image: Image.Image) -> NDArray[Any]:
    """The pixels in the widest form that `to_rgb` knows: gray of 16 bits or floats, RGBA, or RGB."""
    if image.mode.startswith("I;16"):
        return np.array(image).astype(np.uint16)
    if image.mode == "I":
        return _as_uint16(np.array(image))
    if image.mode == "F":
        return np.array(image)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return np.array(image if image.mode == mode else image.convert(mode))


def _as_uint16(gray: NDArray[np.int32]) -> NDArray[np.uint16]:
    """32-bit integers of a file that holds 16-bit values (Pillow's mode I)."""
    low, high = int(gray.min()), int(gray.max())
    if low < 0 or high > 65535:
        raise PhotoError(f"gray values: expected 0..65535, found {low}..{high}. Save it with 8 or 16 bits.")
    return gray.astype(np.uint16)
