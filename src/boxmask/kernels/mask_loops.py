"""The loops of Mask R-CNN's masks: crop targets from masks, and paste predicted scores into a photo.

Neither builds a full mask: targets are read from the window in which a mask is stored, and scores are
pasted inside their box. Both operations are separable, so rows come first, whose pixels are contiguous in
memory, then columns. The pixels that a sample reads, and the scores that pass the threshold, are computed
in torchvision's order of operations and rounding.
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
    """Return the weights (bins, n) of the window's pixels first[b], first[b] + 1, ... in bin b.

    The RoI covers `low` to `high` on an axis of `size` pixels, and the window covers window[0] to window[1].
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
            fraction = at - real(pixel)
            for k, weight in ((pixel, real(1) - fraction), (pixel + 1, fraction)):
                if window[0] <= k < window[1]:
                    if count[b] == 0:
                        first[b] = k
                    weights[b, k - first[b]] += weight / real(samples)
                    count[b] = k - first[b] + 1
    return weights


@compiled
def _span(first: Ints, count: Ints) -> tuple[int, int]:
    """Return the range of pixels that the bins read; (0, 0) if none."""
    begin, end = -1, 0
    for b in range(len(first)):
        if count[b] > 0:
            begin = first[b] if begin < 0 else min(begin, first[b])
            end = max(end, first[b] + count[b])
    return max(begin, 0), end


@compiled
def crop_targets(
    bits: Bits,
    offsets: Ints,
    windows: Ints,
    size: tuple[int, int],
    rows: Ints,
    boxes: Floats,
    targets: Floats,
) -> None:
    """Pool the mask `rows[r]` in box r, for all r. The masks are the fields of `Masks`, with `bits` as uint8.

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
            start = offsets[rows[r]] + (top[y] - y1) * (x2 - x1) - x1
            _sum_rows(bits, start, x2 - x1, weights_y[y, : down[y]], strip, begin, end)
            for x in range(bins):
                total = np.float32(0)
                for k in range(across[x]):
                    total += weights_x[x, k] * strip[left[x] + k]
                targets[r, y, x] = total


@compiled
def _sum_rows(
    bits: Bits, start: int, width: int, weights: Floats, strip: Floats, begin: int, end: int
) -> None:
    """Set strip[begin:end] to the weighted sum of rows of a mask; `start` is the offset of the first row."""
    strip[begin:end] = 0
    for k in range(len(weights)):
        for x in range(begin, end):
            # True may be any byte: arrays from Pillow images have 255.
            strip[x] += weights[k] * np.float32(bits[start + k * width + x] != 0)


# ---------------------------------------------------------------- pasting: bilinear, inside the box


@compiled
def _neighbors(position: int, scale: Real, sources: int) -> tuple[int, int, Real]:
    """Return the two sources around the center of a pixel, and the weight of the second."""
    real = np.float32
    at = max(scale * (real(position) + real(0.5)) - real(0.5), real(0))
    low = min(int(at), sources - 1)
    return low, min(low + 1, sources - 1), min(at - real(low), real(1))


@compiled
def _stretch_rows(scores: Floats, begin: int, end: int, left: int, width: int) -> Floats:
    """Resize the rows of the scores (S, S) to a box `width` pixels wide; return the columns begin..end."""
    sources = len(scores)
    scale = np.float32(sources) / np.float32(width)
    rows = np.empty((sources, end - begin), np.float32)
    for x in range(end - begin):
        low, high, fraction = _neighbors(x + begin - left, scale, sources)
        for s in range(sources):
            rows[s, x] = scores[s, low] * (np.float32(1) - fraction) + scores[s, high] * fraction
    return rows


@compiled
def _threshold_line(rows: Floats, y: int, scale: Real, threshold: Real, line: Bits) -> None:
    """Set line[x] to whether row y of the box is above the threshold at column x."""
    low, high, fraction = _neighbors(y, scale, len(rows))
    rest, upper, lower = np.float32(1) - fraction, rows[low], rows[high]
    for x in range(len(line)):
        line[x] = upper[x] * rest + lower[x] * fraction > threshold


@compiled
def find_window(scores: Floats, box: Ints, size: tuple[int, int], threshold: Real, window: Ints) -> None:
    """Set the smallest window (4,) that contains all pixels above the threshold; zeros if there are none.

    scores: (S, S) with a border of zeros; box: (4,) the first and last pixels that they cover
    """
    left, top = box[0], box[1]
    width, height = max(box[2] - left + 1, 1), max(box[3] - top + 1, 1)
    x1, x2 = max(left, 0), min(left + width, size[1])
    y1, y2 = max(top, 0), min(top + height, size[0])
    window[:] = 0
    if x1 >= x2 or y1 >= y2:
        return
    rows = _stretch_rows(scores, x1, x2, left, width)
    line, columns = np.empty(x2 - x1, np.bool_), np.zeros(x2 - x1, np.bool_)
    first, last = -1, -1
    scale = np.float32(len(scores)) / np.float32(height)
    for y in range(y1, y2):
        _threshold_line(rows, y - top, scale, threshold, line)
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
def paste_scores(scores: Floats, box: Ints, window: Ints, threshold: Real, bits: Bits) -> None:
    """Set the bits (h * w,) of the window, row by row; `scores` and `box` are as in `find_window`."""
    left, top = box[0], box[1]
    width, height = max(box[2] - left + 1, 1), max(box[3] - top + 1, 1)
    columns = window[2] - window[0]
    rows = _stretch_rows(scores, window[0], window[2], left, width)
    scale = np.float32(len(scores)) / np.float32(height)
    for y in range(window[1], window[3]):
        start = (y - window[1]) * columns
        _threshold_line(rows, y - top, scale, threshold, bits[start : start + columns])
