"""Properties of a segmentation's regions: sizes, boxes, histograms and neighbors.

Uijlings et al. 2013, section 3.1 (neighbors) and 3.2 (histograms).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled

Ints = NDArray[np.int32]
Codes = NDArray[np.uint16]


class Regions(NamedTuple):
    """R regions of one segmentation.

    sizes:    (R,) pixels
    boxes:    (R, 4) xyxy, with the first column and row, and one past the last
    colors:   (R, bins C) number of pixels in each bin
    textures: (R, bins 8 C) number of pixels in each bin
    """

    sizes: Ints
    boxes: Ints
    colors: Ints
    textures: Ints


@compiled
def describe_regions(labels: Ints, count: int, codes: Codes, bins: Any) -> Regions:
    """Return the sizes, boxes and histograms of the regions 0..count-1.

    labels: (H, W); codes: (H, 5 C, W) from `bin_pixels`
    bins:   the number of bins per color channel and per texture direction
    """
    height, features, width = codes.shape
    channels, signed = features // 5, 2 * bins[1] - 1
    sizes, boxes = np.zeros(count, np.int32), np.empty((count, 4), np.int32)
    boxes[:, :2], boxes[:, 2:] = max(height, width), 0
    counters = np.zeros((count, channels * bins[0] + 4 * channels * signed), np.int32)
    for y in range(height):
        for x in range(width):
            r = np.uint32(labels[y, x])
            sizes[r] += 1
            box, counter = boxes[r], counters[r]
            box[0], box[1] = min(box[0], x), min(box[1], y)
            box[2], box[3] = max(box[2], x + 1), max(box[3], y + 1)
            for f in range(features):
                counter[codes[y, f, x]] += 1
    colors = counters[:, : channels * bins[0]].copy()
    return Regions(sizes, boxes, colors, _split_directions(counters[:, channels * bins[0] :], sizes, bins[1]))


@compiled
def _split_directions(counters: Ints, sizes: Ints, bins: int) -> Ints:
    """Split every axis into a forward and a backward direction: (R, axes (2 bins - 1)) -> (R, 2 axes bins).

    A forward response counts as none backward, so a direction's first bin has all pixels of no other bin.
    """
    signed = 2 * bins - 1
    axes = counters.shape[1] // signed
    textures = np.empty((len(sizes), 2 * axes * bins), np.int32)
    for r in range(len(sizes)):
        for axis in range(axes):
            middle, ahead = axis * signed + bins - 1, 2 * axis * bins
            back = ahead + bins
            textures[r, ahead], textures[r, back] = sizes[r], sizes[r]
            for k in range(1, bins):
                textures[r, ahead + k] = counters[r, middle + k]
                textures[r, back + k] = counters[r, middle - k]
                textures[r, ahead] -= counters[r, middle + k]
                textures[r, back] -= counters[r, middle - k]
    return textures


@compiled
def adjacent_regions(labels: Ints, count: int) -> Ints:
    """Return the pairs (a, b), a < b, of regions that touch at a side or corner of a pixel, in order."""
    height, width = labels.shape
    pairs = np.empty((4 * height * width, 2), np.int32)
    n = 0
    for y in range(height):
        below = min(y + 1, height - 1)
        for x in range(width):
            left, right, a = max(x - 1, 0), min(x + 1, width - 1), labels[y, x]
            near = (labels[y, right], labels[below, left], labels[below, x], labels[below, right])
            if (a ^ near[0]) | (a ^ near[1]) | (a ^ near[2]) | (a ^ near[3]):  # rarely true
                for b in near:
                    if a != b:
                        pairs[n, 0], pairs[n, 1] = min(a, b), max(a, b)
                        n += n == 0 or pairs[n, 0] != pairs[n - 1, 0] or pairs[n, 1] != pairs[n - 1, 1]
    by_second = _sort_by_column(pairs[:n], 1, count)
    return _drop_repeats(_sort_by_column(by_second, 0, count))


@compiled
def _sort_by_column(pairs: Ints, column: int, count: int) -> Ints:
    """Sort pairs by the values 0..count-1 of a column, ties in the given order."""
    positions, out = np.zeros(count + 1, np.int32), np.empty_like(pairs)
    for k in range(len(pairs)):
        positions[pairs[k, column] + 1] += 1
    for k in range(count):
        positions[k + 1] += positions[k]
    for k in range(len(pairs)):
        at = positions[pairs[k, column]]
        out[at, 0], out[at, 1] = pairs[k, 0], pairs[k, 1]
        positions[pairs[k, column]] += 1
    return out


@compiled
def _drop_repeats(pairs: Ints) -> Ints:
    n = 0
    for k in range(len(pairs)):
        if n == 0 or pairs[k, 0] != pairs[n - 1, 0] or pairs[k, 1] != pairs[n - 1, 1]:
            pairs[n, 0], pairs[n, 1] = pairs[k, 0], pairs[k, 1]
            n += 1
    return pairs[:n].copy()
