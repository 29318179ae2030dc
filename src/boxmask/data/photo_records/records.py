"""Records of photos as columns: about 450 bytes per photo, most of them the thumbnail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Shaped, UInt8, UInt64

THUMBNAIL_SIDE = 16
PERCENTILES = (0, 1, 5, 50, 95, 99, 100)

READABLE, MISSING, UNREADABLE, DAMAGED = range(4)
"""States of a photo. UNREADABLE: not an image, or its header is damaged. DAMAGED: behind its header."""

NO_CAMERA = -1


@dataclass(frozen=True)
class PhotoRecords:
    """What is known about P photos. Of photos in another state than READABLE, only what could be found out.

    files:        (P) relative to `root`, with "/"
    states:       READABLE, MISSING, UNREADABLE or DAMAGED
    errors:       what is wrong with photos in another state than READABLE and what to do, by index
    formats:      by content, as Pillow calls them: "JPEG", "PNG"; "" if unknown
    modes:        Pillow's pixel formats as stored: "RGB", "L", "CMYK", "I;16"; "" if unknown
    transparent:  whether the photo has an alpha channel or a transparent color
    sizes:        heights and widths as shown; 0 if unknown
    orientations: EXIF orientations, 1..8; 1 is upright
    captured:     when the photo was taken, by its EXIF tags, in seconds; NaN if unknown. Only differences
                  mean something, because the time zone is unknown.
    cameras:      index into `camera_names`, or NO_CAMERA
    digests:      blake2b of the bytes of the file, 128 bits; 0, 0 if it cannot be read
    brightness:   the `PERCENTILES` of the gray values 0..255
    sharpness:    see `boxmask.data.photo_records.pixels.sharpness`
    thumbnails:   gray, as shown, each side stretched to 16 pixels
    """

    root: Path
    files: tuple[str, ...]
    states: UInt8[np.ndarray, " P"]
    errors: Mapping[int, str]
    formats: Shaped[np.ndarray, " P"]
    modes: Shaped[np.ndarray, " P"]
    transparent: Bool[np.ndarray, " P"]
    sizes: Int32[np.ndarray, "P 2"]
    orientations: UInt8[np.ndarray, " P"]
    captured: Float64[np.ndarray, " P"]
    cameras: Int32[np.ndarray, " P"]
    camera_names: tuple[str, ...]
    digests: UInt64[np.ndarray, "P 2"]
    brightness: Float32[np.ndarray, "P 7"]
    sharpness: Float32[np.ndarray, " P"]
    thumbnails: UInt8[np.ndarray, "P 16 16"]

    def __len__(self) -> int:
        return len(self.files)

    @property
    def readable(self) -> Bool[np.ndarray, " P"]:
        """The photos whose pixels could be read."""
        return np.asarray(self.states == READABLE)
