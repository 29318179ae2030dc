"""The loops that warp regions of a photo to squares: RoIAlign's arithmetic for three channels.

A pixel of the square is the mean of as many bilinear samples as it covers pixels of the photo. On each axis,
that is a weighted sum of a few neighboring pixels ("taps"). Rows are summed first, a whole run of pixels at a
time, then columns. RoIAlign's own loops are made for hundreds of channels and take ten times as long for
three. They also repeat the photo's border, whereas here everything outside is 0.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled_fused

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@compiled_fused
def _taps(low: float, high: float, limit: int, first: Ints, count: Ints) -> Any:
    """Return the weights (n, taps) of the pixels first[p], first[p] + 1, ... in position p of an axis.

    The axis goes from `low` to `high` in pixels of the photo, which has `limit` pixels and is 0 outside.
    """
    n = len(first)
    step = (high - low) / n
    samples = max(1, ceil(step))
    weights = np.zeros((n, samples + 2), np.float32)
    for p in range(n):
        first[p], count[p] = 0, 0
        for k in range(samples):
            at = low + (p + (k + 0.5) / samples) * step - 0.5
            left = floor(at)
            fraction = np.float32(at - left)
            for pixel, weight in ((left, np.float32(1) - fraction), (left + 1, fraction)):
                if 0 <= pixel < limit:
                    if count[p] == 0:
                        first[p] = pixel
                    weights[p, pixel - first[p]] += weight / samples
                    count[p] = pixel - first[p] + 1
    return weights


@compiled_fused
def warp_regions(photo: Floats, size: Any, boxes: Floats, out: Floats) -> None:
    """Warp boxes to squares: photo (h, w, 3), boxes (P, 4) xyxy -> out (P, S, S, 3).

    size: (height, width) of the part of the photo that is not padding
    """
    height, width = size
    side = out.shape[1]
    top, rows = np.empty(side, np.int64), np.empty(side, np.int64)
    left, columns = np.empty(side, np.int64), np.empty(side, np.int64)
    strip = np.empty(3 * width, np.float32)
    for r in range(len(boxes)):
        down = _taps(boxes[r, 1], boxes[r, 3], height, top, rows)
        across = _taps(boxes[r, 0], boxes[r, 2], width, left, columns)
        begin, end = _span(left, columns)
        for y in range(side):
            strip[3 * begin : 3 * end] = 0
            for k in range(rows[y]):
                weight = down[y, k]
                line = photo[top[y] + k]
                for x in range(begin, end):
                    for c in range(3):
                        strip[3 * x + c] += weight * line[x, c]
            _sum_columns(strip, across, left, columns, out[r, y])


@compiled_fused
def _span(first: Ints, count: Ints) -> Any:
    """Return the range of pixels that the positions read; an empty range if none."""
    begin, end = 2**62, 0
    for p in range(len(first)):
        if count[p] > 0:
            begin, end = min(begin, first[p]), max(end, first[p] + count[p])
    return min(begin, end), end


@compiled_fused
def _sum_columns(strip: Floats, weights: Floats, first: Ints, count: Ints, out: Floats) -> None:
    for x in range(len(first)):
        red = green = blue = np.float32(0)
        for k in range(count[x]):
            weight, at = weights[x, k], 3 * (first[x] + k)
            red += weight * strip[at]
            green += weight * strip[at + 1]
            blue += weight * strip[at + 2]
        out[x, 0], out[x, 1], out[x, 2] = red, green, blue
