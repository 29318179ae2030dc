"""Bounding boxes of masks, computed from their run lengths."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from boxmask.data.detection.rle_masks import RleMasks

BATCH = 20_000
"""Masks whose runs are in memory as wider numbers at the same time."""


def mask_boxes(
    masks: RleMasks, rows: Int[np.ndarray, " M"], sizes: Int[np.ndarray, "M 2"]
) -> Float[np.ndarray, "M 4"]:
    """The smallest box around the pixels of each mask: x1, y1, x2, y2 with continuous edges.

    rows:  of the masks, which must be known and have a pixel
    sizes: (height, width) of the photo of each mask
    """
    batches = [slice(start, start + BATCH) for start in range(0, len(rows), BATCH)]
    return np.concatenate(
        [np.zeros((0, 4)), *(_boxes(masks, rows[batch], sizes[batch]) for batch in batches)]
    )


def _boxes(
    masks: RleMasks, rows: Int[np.ndarray, " M"], sizes: Int[np.ndarray, "M 2"]
) -> Float[np.ndarray, "M 4"]:
    """The boxes of some masks. A run goes down a column and continues at the top of the next one."""
    chosen = masks[rows]
    lengths = np.diff(chosen.offsets)
    ends = np.cumsum(chosen.runs, dtype=np.int64)
    before = np.concatenate([[0], ends])[chosen.offsets[:-1]]
    owner = np.repeat(np.arange(len(rows)), lengths)
    is_inside = ((np.arange(len(owner)) - chosen.offsets[owner]) % 2 == 1) & (chosen.runs > 0)
    owner, ends, runs = owner[is_inside], ends[is_inside], chosen.runs[is_inside]
    last = ends - before[owner] - 1
    first = last - runs + 1
    height = sizes[owner, 0].astype(np.int64)
    is_long = first // height != last // height  # such a run touches the bottom and the top
    top, bottom = np.where(is_long, 0, first % height), np.where(is_long, height - 1, last % height)
    starts = np.searchsorted(owner, np.arange(len(rows)))
    low = np.minimum.reduceat(np.stack([first // height, top], axis=1), starts, axis=0)
    high = np.maximum.reduceat(np.stack([last // height, bottom], axis=1), starts, axis=0) + 1
    return np.concatenate([low, high], axis=1).astype(np.float64)
