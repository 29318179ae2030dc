"""Smoothing for Selective Search, and the histogram bins of every pixel.

Uijlings et al. 2013, section 3.2: color histograms of 25 bins per channel; texture histograms of 10 bins per
channel and direction, for 8 directions of a Gaussian's derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled, compiled_fused

Floats = NDArray[np.float32]
Codes = NDArray[np.uint16]

AXES = 4  # the eight directions are four axes, each in both directions


@compiled
def _mirrored(k: int, count: int) -> int:
    """Return the index of row k, where the rows beyond a border mirror the rows before it."""
    k %= 2 * count
    return k if k < count else 2 * count - 1 - k


@compiled_fused
def smooth(planes: Floats, down: Floats, across: Floats, out: Floats) -> None:
    """Filter planes with weights along columns (`down`) and along rows (`across`); borders are mirrored.

    planes, out: (C, H, W); down, across: the same odd number of weights, the pixel's own in the middle
    """
    channels, height, width = planes.shape
    taps, reach = len(down), len(down) // 2
    row = np.empty(width + 2 * reach, np.float32)
    for c in range(channels):
        for y in range(height):
            middle, result = row[reach : reach + width], out[c, y]
            middle[:] = 0
            for k in range(taps):
                weight, line = down[k], planes[c, _mirrored(y + k - reach, height)]
                for x in range(width):
                    middle[x] += weight * line[x]
            for k in range(1, reach + 1):
                row[reach - k] = middle[_mirrored(-k, width)]
                row[reach + width + k - 1] = middle[_mirrored(width + k - 1, width)]
            result[:] = 0
            for k in range(taps):
                weight, line = across[k], row[k : k + width]
                for x in range(width):
                    result[x] += weight * line[x]


@compiled
def bin_pixels(planes: Floats, across: Floats, down: Floats, bins: Any, codes: Codes) -> None:
    """Set the counter that each pixel increments in its region's row of counters, for every feature.

    planes, across, down: (C, H, W) colors in 0..255 and their derivatives
    bins:  the number of bins per color channel and per texture direction
    codes: (H, C + 4 C, W). A row of counters has bins[0] per channel, then 2 bins[1] - 1 per channel and
           axis: from the strongest backward response, over none, to the strongest forward response.
    """
    channels, height, width = planes.shape
    scale, last = np.float32(bins[0] / 256), np.float32(bins[0] - 1)
    for c in range(channels):
        start, first = np.int32(c * bins[0]), channels * bins[0] + AXES * (2 * bins[1] - 1) * c
        steepness = np.float32(bins[1]) / _strongest(across[c], down[c])
        at = channels + AXES * c
        for y in range(height):
            color, code = planes[c, y], codes[y, c]
            for x in range(width):
                code[x] = start + np.int32(min(max(color[x] * scale, np.float32(0)), last))
            _bin_row(across[c, y], down[c, y], steepness, bins[1], first, codes[y, at : at + AXES])


@compiled
def _strongest(across: Floats, down: Floats) -> Any:
    """Return the strongest response of a channel in any direction, where the last bin ends."""
    half, top = np.float32(np.sqrt(0.5)), np.full(across.shape[1], np.float32(1e-6))
    for y in range(across.shape[0]):
        for x in range(len(top)):  # one maximum per column, which vectorizes
            ax, ay = abs(across[y, x]), abs(down[y, x])
            top[x] = max(top[x], max(ax, ay, half * (ax + ay)))
    return top.max()


@compiled
def _bin_row(across: Floats, down: Floats, scale: Any, bins: int, first: int, codes: Codes) -> None:
    """Set the texture codes of one row: across, down (W,) -> codes (4, W).

    A Gaussian's derivative in any direction is a weighted sum of two (Freeman & Adelson 1991, section 2).
    """
    last, half = np.float32(bins - 1), scale * np.float32(np.sqrt(0.5))
    for axis in range(AXES):
        a = (scale, half, np.float32(0), -half)[axis]
        b = (np.float32(0), half, scale, half)[axis]
        middle, code = np.int32(first + axis * (2 * bins - 1) + bins - 1), codes[axis]
        for x in range(len(across)):
            response = a * across[x] + b * down[x]
            code[x] = middle + np.int32(min(max(response, -last), last))
