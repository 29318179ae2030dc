"""Boxes that say nearly the same as an earlier one, dropped in one pass.

This is greedy suppression at a high IoU, where a short cut applies: two boxes with an IoU above t differ in
area by a factor above t at most, so a box is only compared with kept boxes of about its own area.
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
    """The rows of boxes that have no IoU above `overlap` with an earlier row that is kept; `limit` at most.

    boxes: (N, 4) xyxy, whole numbers; overlap: above 0, below 1
    """
    shelves, step = _shelves(boxes, overlap)
    tops, below = np.full(shelves, -1, np.int32), np.empty(len(boxes), np.int32)  # the kept, by area
    kept, n = np.empty(len(boxes), np.int32), 0
    for i in range(len(boxes)):
        if n == limit:
            break
        shelf, near = _shelf(boxes[i], step), False
        for other in range(max(shelf - 1, 0), min(shelf + 2, shelves)):
            j = tops[other]
            while j >= 0 and not near:
                near = _exceeds(boxes[i], boxes[j], overlap)
                j = below[j]
        if not near:
            below[i], tops[shelf] = tops[shelf], i
            kept[n], n = i, n + 1
    return kept[:n].copy()


@compiled
def _shelves(boxes: Ints, overlap: float) -> Any:
    """How many shelves the areas need, and the ratio of areas on a shelf, as a logarithm."""
    step, largest = -log(overlap) * 1.001, 0  # a little more than needed, for the rounding of logarithms
    for box in boxes:
        largest = max(largest, _shelf(box, step))
    return largest + 1, step


@compiled
def _shelf(box: Ints, step: float) -> int:
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
