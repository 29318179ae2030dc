"""The photo that a result comes from, and the objects cut out of it. This needs Pillow alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from boxmask.errors import UsageError
from boxmask.photos.read import Photo, to_pixels
from boxmask.types import Detections, SegmentationMap

if TYPE_CHECKING:
    from jaxtyping import UInt8
    from torch import Tensor  # noqa: F401  a photo may be one


def photo_pixels(result: Detections | SegmentationMap, photo: Photo | None) -> UInt8[np.ndarray, "H W 3"]:
    """The photo, or the one that the result keeps.

    Raises UsageError if the photo is missing, does not exist or has another size.
    """
    given = result.photo if photo is None else photo
    if given is None:
        raise UsageError(
            "this result keeps no photo. Pass the photo that it comes from, for example plot(photo)"
        )
    if isinstance(given, str | Path) and not Path(given).exists():
        raise UsageError(
            f"{given}: expected the photo that the result comes from, found no such file. "
            f"To write a picture, use save({str(given)!r})."
        )
    pixels = to_pixels(given)
    if pixels.shape[:2] != result.size:
        raise UsageError(f"expected a photo of (height, width) {result.size}, found {pixels.shape[:2]}")
    return pixels


def crop_detections(detections: Detections, photo: Photo | None) -> list[Image.Image]:
    """Cut each box out of the photo, as `box_windows`. Raises UsageError as `photo_pixels` does."""
    picture = Image.fromarray(photo_pixels(detections, photo))
    return [picture.crop(window) for window in box_windows(detections)]


def box_windows(detections: Detections) -> list[tuple[int, int, int, int]]:
    """The whole pixels that each box touches, xyxy, inside of the photo: at least one."""
    height, width = detections.size
    windows = []
    for x1, y1, x2, y2 in detections.boxes.tolist():
        left, top = min(max(int(x1), 0), width - 1), min(max(int(y1), 0), height - 1)
        right, bottom = min(math.ceil(x2), width), min(math.ceil(y2), height)
        windows.append((left, top, max(right, left + 1), max(bottom, top + 1)))
    return windows
