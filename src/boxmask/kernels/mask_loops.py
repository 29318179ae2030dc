"""The loops of Mask R-CNN's masks: what an RoI is to show of its object, and scores spread over the photo.

Neither ever holds a full mask: targets are read from the window that an object's pixels are kept in, and
scores are spread inside their own box alone. Both are separable, so rows come first, whose pixels are
contiguous in memory, then columns. Which pixel a sample touches, and which score passes the threshold, is
computed in torchvision's order of operations and rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled

Real = Any  # a float32
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Bits = NDArray[Any]  # bool, or the same bytes as uint8

# ---------------------------------------------------------------- targets: RoIAlign of a window


@compiled
def _taps(low: Real, high: Real, size: int, window: tuple[int, int], first: Ints, count: Ints) -> Floats:
    """Weights (bins, most) of the window's pixels first[b], first[b] + 1, ... that bin b is the sum of.

    The RoI goes from `low` to `high` on an axis of `size` pixels, the window from window[0] to window[1].
    """
    real, bins = np.float32, len(first)
    step = max(high - low, real(1)) / real(bins)
    samples = int(np.ceil(step))
    weights = np.zeros((bins, samples + 2), np.float32)
    for b in range(bins):
        first[b], count[b] = 0, 0
        for s in range(samples):
            at = low + real(b) * step + real(s + 0.5) * step / real(samples)
            if at < real(-1) or at > real(size):
                continue
            at = min(max(at, real(0)), real(size - 1))
            pixel = int(at)
            part = at - real(pixel)
            for k, share in ((pixel, real(1) - part), (pixel + 1, part)):
                if window[0] <= k < window[1]:
                    if count[b] == 0:
                        first[b] = k
                    weights[b, k - first[b]] += share / real(samples)
                    count[b] = k - first[b] + 1
    return weights


@compiled
def _span(first: Ints, count: Ints) -> tuple[int, int]:
    """The pixels that any bin reads, from the first to behind the last; (0, 0) if none."""
    begin, end = -1, 0
    for b in range(len(first)):
        if count[b] > 0:
            begin = first[b] if begin < 0 else min(begin, first[b])
            end = max(end, first[b] + count[b])
    return max(begin, 0), end


@compiled
def project(
    bits: Bits,
    offsets: Ints,
    windows: Ints,
    size: tuple[int, int],
    rows: Ints,
    boxes: Floats,
    targets: Floats,
) -> None:
    """Pool object `rows[r]` in box r, for all r; of masks as in `Masks`, with `bits` as uint8.

    boxes: (R, 4) in pixels of the masks; targets: (R, M, M), written
    """
    bins = targets.shape[1]
    top, down = np.empty(bins, np.int64), np.empty(bins, np.int64)
    left, across = np.empty(bins, np.int64), np.empty(bins, np.int64)
    strip = np.empty(size[1], np.float32)
    for r in range(len(rows)):
        x1, y1, x2, y2 = windows[rows[r]]
        weights_y = _taps(boxes[r, 1], boxes[r, 3], size[0], (y1, y2), top, down)
        weights_x = _taps(boxes[r, 0], boxes[r, 2], size[1], (x1, x2), left, across)
        begin, end = _span(left, across)
        for y in range(bins):
            strip[begin:end] = 0
            for k in range(down[y]):
                weight = weights_y[y, k]
                start = offsets[rows[r]] + (top[y] + k - y1) * (x2 - x1) - x1
                for x in range(begin, end):
                    strip[x] += weight * np.float32(bits[start + x] != 0)  # Pillow's "true" is a byte of 255
            for x in range(bins):
                total = np.float32(0)
                for k in range(across[x]):
                    total += weights_x[x, k] * strip[left[x] + k]
                targets[r, y, x] = total


# ---------------------------------------------------------------- pasting: bilinear, inside the box


@compiled
def _source(place: int, scale: Real, sources: int) -> tuple[int, int, Real]:
    """The two sources under the center of a pixel, and the weight of the second."""
    real = np.float32
    at = max(scale * (real(place) + real(0.5)) - real(0.5), real(0))
    low = min(int(at), sources - 1)
    return low, min(low + 1, sources - 1), min(at - real(low), real(1))


@compiled
def _stretched(scores: Floats, begin: int, end: int, left: int, width: int) -> Floats:
    """Every row of the scores (S, S) at the photo's columns begin..end, of a box `width` wide from `left`."""
    sources = len(scores)
    scale = np.float32(sources) / np.float32(width)
    rows = np.empty((sources, end - begin), np.float32)
    for x in range(end - begin):
        low, high, part = _source(x + begin - left, scale, sources)
        for s in range(sources):
            rows[s, x] = scores[s, low] * (np.float32(1) - part) + scores[s, high] * part
    return rows


@compiled
def _line(rows: Floats, y: int, scale: Real, threshold: Real, line: Bits) -> None:
    """line[x] = whether row y of the box is above the threshold there."""
    low, high, part = _source(y, scale, len(rows))
    rest, upper, lower = np.float32(1) - part, rows[low], rows[high]
    for x in range(len(line)):
        line[x] = upper[x] * rest + lower[x] * part > threshold


@compiled
def survey(scores: Floats, box: Ints, size: tuple[int, int], threshold: Real, window: Ints) -> None:
    """Set the smallest window (4,) that holds what will be above the threshold; zeros where nothing will be.

    scores: (S, S) with their rim of zeros; box: (4,) the first and last pixels that they are spread over
    """
    left, top = box[0], box[1]
    width, height = max(box[2] - left + 1, 1), max(box[3] - top + 1, 1)
    x1, x2 = max(left, 0), min(left + width, size[1])
    y1, y2 = max(top, 0), min(top + height, size[0])
    window[:] = 0
    if x1 >= x2 or y1 >= y2:
        return
    rows = _stretched(scores, x1, x2, left, width)
    line, columns = np.empty(x2 - x1, np.bool_), np.zeros(x2 - x1, np.bool_)
    first, last = -1, -1
    scale = np.float32(len(scores)) / np.float32(height)
    for y in range(y1, y2):
        _line(rows, y - top, scale, threshold, line)
        hits = 0
        for x in range(len(line)):
            columns[x] |= line[x]
            hits |= line[x]
        if hits:
            first, last = (y if first < 0 else first), y
    if first >= 0:
        across = np.flatnonzero(columns)
        window[0], window[1], window[2], window[3] = x1 + across[0], first, x1 + across[-1] + 1, last + 1


@compiled
def spread(scores: Floats, box: Ints, window: Ints, threshold: Real, bits: Bits) -> None:
    """Set bits (h * w,) of the window, row by row; scores and box as in `survey`."""
    left, top = box[0], box[1]
    width, height = max(box[2] - left + 1, 1), max(box[3] - top + 1, 1)
    columns = window[2] - window[0]
    rows = _stretched(scores, window[0], window[2], left, width)
    scale = np.float32(len(scores)) / np.float32(height)
    for y in range(window[1], window[3]):
        start = (y - window[1]) * columns
        _line(rows, y - top, scale, threshold, bits[start : start + columns])
