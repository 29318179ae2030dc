"""Removal of boxes that nearly equal an earlier box, in one pass.

This is greedy non-maximum suppression at a high IoU, which allows a shortcut: the areas of two boxes with
an IoU above t have a ratio between t and 1 / t, so a box is compared only with kept boxes of about its own
area. Boxes of similar area share a bucket, and a box's near duplicates are in its own bucket or a
neighboring one.
"""

from __future__ import annotations

from math import floor, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled

Ints = NDArray[np.int32]


@compiled
def drop_near_duplicates(boxes: Ints, overlap: float, limit: int) -> Any:
    """Return the rows, at most `limit`, whose IoU with every kept earlier row is at most `overlap`.

    boxes: (N, 4) xyxy, integers; overlap: between 0 and 1, exclusive
    """
    buckets, step = _count_buckets(boxes, overlap)
    # The kept boxes of each bucket form a linked list.
    heads, following = np.full(buckets, -1, np.int32), np.empty(len(boxes), np.int32)
    kept, n = np.empty(len(boxes), np.int32), 0
    for i in range(len(boxes)):
        if n == limit:
            break
        bucket, near = _bucket(boxes[i], step), False
        for neighbor in range(max(bucket - 1, 0), min(bucket + 2, buckets)):
            j = heads[neighbor]
            while j >= 0 and not near:
                near = _exceeds(boxes[i], boxes[j], overlap)
                j = following[j]
        if not near:
            following[i], heads[bucket] = heads[bucket], i
            kept[n], n = i, n + 1
    return kept[:n].copy()


@compiled
def _count_buckets(boxes: Ints, overlap: float) -> Any:
    """Return the number of buckets, and the logarithm of the ratio of areas that a bucket spans."""
    step, largest = -log(overlap) * 1.001, 0  # slightly more than needed, to allow for rounding of logarithms
    for box in boxes:
        largest = max(largest, _bucket(box, step))
    return largest + 1, step


@compiled
def _bucket(box: Ints, step: float) -> int:
    return floor(log(float(max(_area(box), 1))) / step)


@compiled
def _area(box: Ints) -> Any:
    return np.int64(box[2] - box[0]) * np.int64(box[3] - box[1])


@compiled
def _exceeds(a: Ints, b: Ints, overlap: float) -> Any:
    width = np.int64(min(a[2], b[2]) - max(a[0], b[0]))
    height = np.int64(min(a[3], b[3]) - max(a[1], b[1]))
    if width <= 0 or height <= 0:
        return False
    return width * height > overlap * (_area(a) + _area(b) - width * height)
