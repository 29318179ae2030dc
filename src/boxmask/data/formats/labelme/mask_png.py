"""LabelMe's shape "mask": a black-and-white PNG of the object's box, in base64.

The two points of the shape are the first and the last pixel of the box, as `labelme.utils.shapes_to_label`
reads them.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool
from PIL import Image

from boxmask.data.outlines import RunLengths
from boxmask.errors import PhotoError
from boxmask.geometry import rle
from boxmask.masks import Masks, Size
from boxmask.photos.errors import photo_errors
from boxmask.photos.read import open_image

_MAX_SIDE = 2**20
"""Boxes farther out than this are not those of a photo."""

_MAX_PIXELS = 2**27
"""Masks of more pixels would take much memory, and a small file can hold them."""


def encode_mask(crop: Bool[np.ndarray, "h w"]) -> str:
    """The pixels of a box as text."""
    png = io.BytesIO()
    Image.fromarray(crop).save(png, "PNG")
    return base64.b64encode(png.getvalue()).decode("ascii")


def read_mask(text: object, corners: Sequence[float], size: Size) -> RunLengths:
    """The mask over a photo of (height, width).

    corners: x1, y1, x2, y2 of the first and the last pixel, in any order

    The image is only decoded if it has the size of the box. Raises ValueError with what is wrong.
    """
    x1, y1, x2, y2 = _pixels(corners)
    width, height = x2 - x1 + 1, y2 - y1 + 1
    if width * height > _MAX_PIXELS:
        raise ValueError(f"a mask of {width} × {height} pixels; at most {_MAX_PIXELS:,} are read")
    crop = _decode(text, (height, width))
    masks = Masks.from_crops([crop], [(x1, y1)], size)
    return RunLengths(rle.encode(masks)[0], size)


def _pixels(corners: Sequence[float]) -> tuple[int, int, int, int]:
    if len(corners) != 4:
        raise ValueError(f"a mask needs two points, the corners of its box; found {len(corners) // 2}")
    if not all(abs(number) < _MAX_SIDE for number in corners):
        raise ValueError(f"a mask with corners at {str(list(corners))[:60]}")
    x1, y1, x2, y2 = (int(number) for number in corners)  # as LabelMe rounds them
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _decode(text: object, size: Size) -> Bool[np.ndarray, "h w"]:
    if not isinstance(text, str):
        raise ValueError(f"expected the mask as a PNG in base64, found {str(text)[:60]}")
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"a mask that is no base64 ({error})") from error
    try:
        with open_image("mask", content) as image, photo_errors("mask"):
            if (image.height, image.width) != size:
                found = f"{image.width} × {image.height}"
                raise ValueError(f"its mask has {found} pixels, its two points span {size[1]} × {size[0]}")
            pixels = np.array(image)
    except PhotoError as error:
        raise ValueError(f"a mask that cannot be decoded ({error})") from error
    return np.asarray(pixels.reshape(*size, -1).any(axis=2))
