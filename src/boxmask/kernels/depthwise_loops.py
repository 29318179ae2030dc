"""The loop of a depthwise convolution's weight gradient, over channels-last maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled_fused

Floats = NDArray[np.float32]


@compiled_fused
def correlate(source: Floats, grad: Floats, stride: int, padding: int, channels: slice, out: Floats) -> None:
    """Add to out (S, S, C) the sum of `grad` (h, w, C) times what each tap sees of `source` (H, W, C)."""
    height, width, _ = source.shape
    rows, columns, _ = grad.shape
    side = len(out)
    for y in range(rows):
        top = y * stride - padding
        for x in range(columns):
            left = x * stride - padding
            g = grad[y, x, channels]
            for i in range(max(0, -top), min(side, height - top)):
                for j in range(max(0, -left), min(side, width - left)):
                    seen, tap = source[top + i, left + j, channels], out[i, j, channels]
                    for k in range(len(g)):
                        tap[k] += g[k] * seen[k]
