"""The masks of fused boxes: where the mean of the masks, weighted by the scores, is at least a half."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.masks import Masks


def fuse_masks(
    masks: Masks, groups: Sequence[Int[np.ndarray, " n"]], scores: Float[np.ndarray, " M"]
) -> Masks:
    """A mask for each group of objects; unknown masks do not count.

    masks:  of the M objects of all views
    groups: the rows of the objects that are one
    scores: of the M objects
    """
    known = masks.known
    crops, corners = [], []
    for group in groups:
        rows = group[known[group]]
        crop, corner = _mean_mask(masks[rows], scores[rows])
        crops.append(crop)
        corners.append(corner)
    return Masks.from_crops(crops, corners, masks.size)


def _mean_mask(
    masks: Masks, scores: Float[np.ndarray, " n"]
) -> tuple[Bool[np.ndarray, "h w"], tuple[int, int]]:
    """The pixels in at least half of the masks, and the upper left corner of their window."""
    if not len(masks):
        return np.zeros((0, 0), dtype=np.bool_), (0, 0)
    (left, top), (right, bottom) = masks.windows[:, :2].min(axis=0), masks.windows[:, 2:].max(axis=0)
    total = np.zeros((bottom - top, right - left))
    for crop, (x1, y1, x2, y2), score in zip(masks.crops(), masks.windows, scores, strict=True):
        total[y1 - top : y2 - top, x1 - left : x2 - left] += crop * score
    return total >= scores.sum() / 2, (int(left), int(top))
