"""Decode the photos that clients send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boxmask.errors import PhotoError
from boxmask.photos.read import open_image, to_pixels
from boxmask.photos.suffixes import FORMATS_OF_SUFFIX
from boxmask.serving.errors import RequestError

if TYPE_CHECKING:
    from jaxtyping import UInt8

    from boxmask.serving.predict_request import UploadedPhoto

FORMATS = frozenset(name for names in FORMATS_OF_SUFFIX.values() for name in names)
"""The formats of photos. Pillow reads dozens of others, one by starting another program (EPS)."""


def decode_photo(photo: UploadedPhoto, number: int, max_pixels: int) -> UInt8[np.ndarray, "H W 3"]:
    """The pixels of a photo, upright and RGB.

    number:     of the photo in its request, from 1, for messages
    max_pixels: of one photo; it is checked before the photo is decoded

    Raises RequestError for anything else than an intact photo.
    """
    place = f"photo {number} ({photo.name})" if photo.name else f"photo {number}"
    if not photo.content:
        raise RequestError(422, "photo-unreadable", f"{place}: this file is empty.")
    try:
        with open_image("upload", photo.content, formats=FORMATS) as image:
            width, height = image.size
            if width * height > max_pixels:
                raise RequestError(
                    413,
                    "photo-too-large",
                    f"{place}: this photo is too large ({width:,} × {height:,} pixels): at most "
                    f"{max_pixels / 1e6:g} million pixels are read. Scale it down, or start the server with "
                    "a larger --max-megapixels.",
                )
            return to_pixels(image)
    except PhotoError as error:
        raise RequestError(422, "photo-unreadable", f"{place}: {error.reason}") from error
