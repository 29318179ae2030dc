"""The EXIF orientation of an image. Broken EXIF tags count as none: the pixels are intact."""

from __future__ import annotations

from PIL import ExifTags, Image

from boxmask.photos.open import DECODER_ERRORS

SIDEWAYS = (5, 6, 7, 8)
"""The EXIF orientations that exchange height and width."""

_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1..8. It is 1, upright, if there is none or it cannot be read."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except DECODER_ERRORS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(image: Image.Image) -> Image.Image:
    """Decode an image and turn it as its EXIF orientation says. Raises what Pillow raises."""
    image.load()  # a TIFF is turned upright while loading and loses its orientation
    transposition = _TRANSPOSITIONS.get(orientation(image))
    return image if transposition is None else image.transpose(transposition)
