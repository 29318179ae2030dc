"""When and with which camera a photo was taken, by its EXIF tags."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from PIL import ExifTags, Image

from boxmask.photos.formats import DECODER_ERRORS

_FIRST_YEAR = 1990  # cameras whose clock was never set begin before


def capture_time(image: Image.Image) -> float:
    """When a photo was taken, in seconds, with fractions if its tags have them; NaN if they do not tell."""
    tags = _exif_tags(image)
    try:
        text = str(tags.get(ExifTags.Base.DateTimeOriginal, "")).strip("\0 ")
        moment = datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return math.nan
    return moment.timestamp() + _fraction(tags) if moment.year >= _FIRST_YEAR else math.nan


def camera_name(image: Image.Image) -> str:
    """Maker, model and serial number of the camera, as far as the tags tell; "" if they do not."""
    try:
        exif = image.getexif()
        values = [exif.get(ExifTags.Base.Make), exif.get(ExifTags.Base.Model)]
    except DECODER_ERRORS:
        return ""
    values.append(_exif_tags(image).get(ExifTags.Base.BodySerialNumber))
    return " ".join(text for value in values if (text := str(value or "").strip("\0 ")))


def _exif_tags(image: Image.Image) -> dict[int, object]:
    """The tags on how a photo was taken; none if they are missing or broken."""
    try:
        return dict(image.getexif().get_ifd(ExifTags.IFD.Exif))
    except DECODER_ERRORS:
        return {}


def _fraction(tags: dict[int, object]) -> float:
    """The fraction of a second: "045" is 0.045."""
    digits = str(tags.get(ExifTags.Base.SubsecTimeOriginal, "")).strip("\0 ")
    return float(f"0.{digits}") if digits.isascii() and digits.isdigit() else 0.0
