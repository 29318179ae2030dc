"""Objects painted into an image of one value per pixel, as label maps and instance maps hold them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Shaped

from boxmask.data.formats.contract import ObjectToWrite, PhotoToWrite
from boxmask.data.outlines import fill
from boxmask.geometry import rle
from boxmask.masks import Masks

OVERLAPS = "where objects overlap, only the smallest is written"
PIXELS = "outlines are written as masks of pixels, without their points"
WITHOUT_OUTLINE = "objects without an outline are not written"


def masks_of(photo: PhotoToWrite, objects: Sequence[ObjectToWrite]) -> Masks:
    """The masks of objects in a photo; empty for an object without an outline."""
    runs = [
        np.zeros(0, dtype=np.int64)
        if labeled.outline is None
        else fill(labeled.outline, photo.size, photo.size).astype(np.int64)
        for labeled in objects
    ]
    return rle.decode(runs, photo.size)


def paint_smallest_on_top(
    masks: Masks, values: Shaped[np.ndarray, " N"], background: int = 0
) -> Shaped[np.ndarray, "H W"]:
    """Paint one value per mask, (N,) -> (H, W). Large masks are painted first."""
    picture = np.full(masks.size, background, dtype=values.dtype)
    crops, windows = masks.crops(), masks.windows.tolist()
    for row in np.argsort(-masks.areas(), kind="stable").tolist():
        x1, y1, x2, y2 = windows[row]
        picture[y1:y2, x1:x2][crops[row]] = values[row]
    return picture


def overlap(masks: Masks) -> bool:
    """Whether any pixel lies in two masks."""
    covered = np.zeros(masks.size, dtype=bool)
    for crop, (x1, y1, x2, y2) in zip(masks.crops(), masks.windows.tolist(), strict=True):
        covered[y1:y2, x1:x2] |= crop
    return int(covered.sum()) < int(masks.areas().sum())
