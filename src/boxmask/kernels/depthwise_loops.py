"""The loop for the weight gradient of a depthwise convolution, over channels-last maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled_fused

Floats = NDArray[np.float32]


@compiled_fused
def correlate(maps: Floats, grad: Floats, stride: int, padding: int, channels: slice, out: Floats) -> None:
    """Add to out (S, S, C) the correlation of `grad` (h, w, C) with `maps` (H, W, C), for some channels."""
    height, width, _ = maps.shape
    rows, columns, _ = grad.shape
    side = len(out)
    for y in range(rows):
        top = y * stride - padding
        for x in range(columns):
            left = x * stride - padding
            g = grad[y, x, channels]
            for i in range(max(0, -top), min(side, height - top)):
                for j in range(max(0, -left), min(side, width - left)):
                    pixel, tap = maps[top + i, left + j, channels], out[i, j, channels]
                    for k in range(len(g)):
                        tap[k] += g[k] * pixel[k]
