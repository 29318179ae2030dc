"""The loop of non-maximum suppression.

A box is compared with the kept boxes before it, one block at a time. A block is one vectorized loop over flat
arrays, and the first block with an overlap ends the search. Division is slow, so a multiplication first tells
whether any IoU of the block can reach the threshold. Only then is IoU computed, in the type of the boxes and
in torchvision's order of operations, so that the same boxes are kept even where IoU equals the threshold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled

Real = Any  # a scalar of the boxes' type
Floats = NDArray[Any]

_ZERO: Any = np.int64(0)  # a literal would be another type, for which numba compiles again
_BLOCK = 64  # kept boxes that are compared before the result is checked
_MARGIN = 0.999  # leaves far more room than rounding needs


@compiled
def kept_boxes(
    x1: Floats, y1: Floats, x2: Floats, y2: Floats, group: NDArray[np.int64], threshold: float
) -> NDArray[np.bool_]:
    """Return True for boxes to keep. Boxes are sorted by group, then by descending score.

    x1, y1, x2, y2, group: (N,); threshold: rounded down to the boxes' type -> (N,) bool
    """
    total, real = len(x1), x1.dtype
    kept = np.empty((5, total), real)  # x1, y1, x2, y2, area of the kept boxes of this group
    keep, n = np.zeros(total, np.bool_), _ZERO
    for i in range(total):
        if i > 0 and group[i] != group[i - 1]:
            n = _ZERO
        area = (x2[i] - x1[i]) * (y2[i] - y1[i])
        if not _overlaps_any(x1[i], y1[i], x2[i], y2[i], area, kept, n, real.type(threshold)):
            kept[0, n], kept[1, n], kept[2, n], kept[3, n], kept[4, n] = x1[i], y1[i], x2[i], y2[i], area
            keep[i], n = True, n + 1
    return keep


@compiled
def _overlaps_any(
    x1: Real, y1: Real, x2: Real, y2: Real, area: Real, kept: Floats, n: int, threshold: Real
) -> bool:
    real = kept.dtype.type
    near = threshold * real(_MARGIN)
    for start in range(0, n, _BLOCK):
        block = kept[:, start : min(start + _BLOCK, n)]
        if (near < 0 or _may_exceed(x1, y1, x2, y2, area, block, near)) and _exceeds(
            x1, y1, x2, y2, area, block, threshold
        ):
            return True
    return False


@compiled
def _may_exceed(x1: Real, y1: Real, x2: Real, y2: Real, area: Real, block: Floats, near: Real) -> bool:
    """Return False only if no IoU with the block exceeds the threshold. NaN never exceeds it."""
    real, hits = block.dtype.type, 0
    for k in range(block.shape[1]):
        w = max(min(x2, block[2, k]) - max(x1, block[0, k]), real(0))
        h = max(min(y2, block[3, k]) - max(y1, block[1, k]), real(0))
        hits |= w * h >= near * (area + block[4, k] - w * h)
    return hits != 0


@compiled
def _exceeds(x1: Real, y1: Real, x2: Real, y2: Real, area: Real, block: Floats, threshold: Real) -> bool:
    """Return True if any IoU with the block exceeds the threshold."""
    real, hits = block.dtype.type, 0
    for k in range(block.shape[1]):
        w = max(min(x2, block[2, k]) - max(x1, block[0, k]), real(0))
        h = max(min(y2, block[3, k]) - max(y1, block[1, k]), real(0))
        hits |= (w * h) / (block[4, k] + area - w * h) > threshold
    return hits != 0
