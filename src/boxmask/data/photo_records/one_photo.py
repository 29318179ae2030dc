"""Examine one photo: its file, header, metadata and pixels."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from boxmask.data.photo_records.metadata import camera_name, capture_time
from boxmask.data.photo_records.pixels import brightness, sharpness, small_gray, small_size, thumbnail
from boxmask.data.photo_records.records import (
    DAMAGED,
    MISSING,
    PERCENTILES,
    READABLE,
    THUMBNAIL_SIDE,
    UNREADABLE,
)
from boxmask.errors import PhotoError
from boxmask.photos.errors import photo_error, photo_errors
from boxmask.photos.formats import SIDEWAYS
from boxmask.photos.integrity import check_not_cut_off
from boxmask.photos.read import load_photo, open_image, orientation

_DIGEST_BYTES = 16


@dataclass(slots=True)
class PhotoRecord:
    """One row of `PhotoRecords`."""

    state: int = UNREADABLE
    error: str = ""
    format: str = ""
    mode: str = ""
    transparent: bool = False
    size: tuple[int, int] = (0, 0)
    orientation: int = 1
    captured: float = math.nan
    camera: str = ""
    digest: bytes = bytes(_DIGEST_BYTES)
    brightness: Float32[np.ndarray, " 7"] = field(
        default_factory=lambda: np.zeros(len(PERCENTILES), dtype=np.float32)
    )
    sharpness: float = 0.0
    thumbnail: UInt8[np.ndarray, "16 16"] = field(
        default_factory=lambda: np.zeros((THUMBNAIL_SIDE, THUMBNAIL_SIDE), dtype=np.uint8)
    )


def examine_photo(path: Path) -> PhotoRecord:
    """The record of a photo file. It is decoded once, a JPEG at the smallest scale that is enough."""
    record = PhotoRecord()
    try:
        record.digest = _digest(path)
        with open_image(path) as image:
            _read_header(image, record)
            record.state = DAMAGED
            _read_pixels(image, path, record)
        record.state = READABLE
    except PhotoError as error:
        record.error = error.reason
        if isinstance(error.__cause__, FileNotFoundError):
            record.state = MISSING
    return record


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_DIGEST_BYTES)).digest()
    except OSError as error:
        raise photo_error(path, error) from error


def _read_header(image: Image.Image, record: PhotoRecord) -> None:
    record.format = image.format or ""
    record.mode = image.mode
    record.size = (image.height, image.width)


def _read_pixels(image: Image.Image, path: Path, record: PhotoRecord) -> None:
    """Raises PhotoError for pixels that cannot be read, as `load_photo` does."""
    with photo_errors(path):
        if image.format == "JPEG":
            image.draft("L", small_size(image.size))
        record.orientation = orientation(image)
        record.captured, record.camera = capture_time(image), camera_name(image)
        image.load()
        remaining = orientation(image)  # a TIFF is turned upright while loading
        record.transparent = bool(image.has_transparency_data)
    if image.format == "JPEG":
        check_not_cut_off(path)
    else:
        record.size = (image.height, image.width)
    if remaining in SIDEWAYS:
        record.size = record.size[::-1]
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image, remaining = Image.fromarray(load_photo(path)), 1
    with photo_errors(path):
        gray = small_gray(image, small_size(image.size), remaining)
    record.brightness = brightness(gray)
    record.sharpness = sharpness(gray)
    record.thumbnail = thumbnail(gray)
