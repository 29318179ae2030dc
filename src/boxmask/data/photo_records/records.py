"""Records of photos as columns: about 450 bytes per photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8, UInt64

THUMBNAIL_SIDE = 16

READABLE, MISSING, UNREADABLE, DAMAGED = range(4)
"""States of a photo. UNREADABLE: not an image, or its header is damaged. DAMAGED: behind its header."""

NO_CAMERA = -1


@dataclass(frozen=True)
class PhotoRecords:
    """What is known about P photos. Of photos in another state than READABLE, only what could be found out.

    files:        (P) relative to `root`, with "/"
    states:       READABLE, MISSING, UNREADABLE or DAMAGED
    errors:       what is wrong with photos in another state than READABLE, by index
    formats:      by content, as Pillow calls them: "JPEG", "PNG"; "" if unknown
    modes:        Pillow's pixel formats as stored: "RGB", "L", "CMYK", "I;16"; "" if unknown
    transparent:  whether the photo has an alpha channel or a transparent color
    sizes:        heights and widths as shown; 0 if unknown
    orientations: EXIF orientations, 1..8; 1 is upright
    captured:     when the photo was taken, by its EXIF tags, in seconds; NaN if unknown. Only differences
                  mean something: the time zone is unknown.
    cameras:      index into `camera_names`, or NO_CAMERA
    digests:      blake2b of the bytes of the file, 128 bits; 0, 0 if it cannot be read
    brightness:   1st, 5th, 50th, 95th and 99th percentile, and mean, of the gray values 0..255
    sharpness:    variance of the Laplacian divided by the variance of the gray values, at most 256 pixels
                  on the longer side
    contrast:     standard deviation of the gray values
    thumbnails:   gray, as shown, each side stretched to 16 pixels
    """

    root: Path
    files: tuple[str, ...]
    states: UInt8[np.ndarray, " P"]
    errors: Mapping[int, str]
    formats: np.ndarray
    modes: np.ndarray
    transparent: np.ndarray
    sizes: Int[np.ndarray, "P 2"]
    orientations: UInt8[np.ndarray, " P"]
    captured: Float[np.ndarray, " P"]
    cameras: Int[np.ndarray, " P"]
    digests: UInt64[np.ndarray, "P 2"]
    brightness: Float[np.ndarray, "P 6"]
    sharpness: Float[np.ndarray, " P"]
    contrast: Float[np.ndarray, " P"]
    thumbnails: UInt8[np.ndarray, "P 16 16"]
    camera_names: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.files)
