"""The loops of RoIPool over channels-last features, forward and backward.

A maximum is separable: first over the rows of a strip of bins, which are contiguous in memory, then over
the columns of each bin. The position of a maximum is not stored. Backward computes the maximum again, in
the cache, and compares the pixels with it; this vectorizes and needs no second array of the size of the
result. Among equal pixels, the gradient goes to the first by row, then by column, as in torchvision.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled

Real = Any  # a scalar of the features' type
Floats = NDArray[Any]
Ints = NDArray[np.int64]

_FAR = 2.0**30  # beyond any map
_LOWEST = -np.finfo(np.float32).max  # torchvision's initial maximum, in float64 too


@compiled
def _round(number: Real) -> int:
    """Round to the nearest integer, halves away from zero, as C does."""
    whole = int(min(max(number, -_FAR), _FAR))
    return whole + (1 if number - whole >= 0.5 else 0) - (1 if whole - number >= 0.5 else 0)


@compiled
def _fill_spans(low: Real, high: Real, scale: float, size: int, spans: Ints, like: Floats) -> None:
    """Set the pixels that each bin of an RoI covers on one axis, begin and end: (2, bins)."""
    real, bins = like.dtype.type, spans.shape[1]
    start = _round(low * real(scale))
    length = max(_round(high * real(scale)) - start + 1, 1)
    step = real(length) / real(bins)
    for b in range(bins):
        spans[0, b] = min(max(int(np.floor(real(b) * step)) + start, 0), size)
        spans[1, b] = min(max(int(np.ceil(real(b + 1) * step)) + start, 0), size)


@compiled
def _transpose(
    tile: Floats, out: Floats, columns: int
) -> None:  # as in `align_loops`: see `compiled` for why
    """Transpose a flat matrix of `columns` columns into the flat `out`, four rows at a time."""
    c, r = np.uint64(columns), np.uint64(len(out) // columns)
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    fours = r - r % four
    for row in range(np.uint64(0), fours, four):
        for column in range(c):
            to, at = column * r + row, row * c + column
            out[to], out[to + one] = tile[at], tile[at + c]
            out[to + two], out[to + three] = tile[at + two * c], tile[at + three * c]
    for row in range(fours, r):
        for column in range(c):
            out[column * r + row] = tile[row * c + column]


@compiled
def _maxima(
    to: Floats, at: int, length: int, source: Floats, start: int, stride: int, low: int, high: int
) -> None:
    """to[at:][:length] = the elementwise maximum of the runs `low` to `high`; run 0 is at source[start:]."""
    a, run, lowest = np.uint64(at), range(np.uint64(length)), to.dtype.type(_LOWEST)
    s = np.uint64(start + low * stride)
    for i in run:
        to[a + i] = source[s + i] if source[s + i] > lowest else lowest
    for k in range(low + 1, high - 1, 2):
        s, t = np.uint64(start + k * stride), np.uint64(start + (k + 1) * stride)
        for i in run:
            larger = source[s + i] if source[s + i] > to[a + i] else to[a + i]
            to[a + i] = source[t + i] if source[t + i] > larger else larger
    if high - low > 1 and (high - low) % 2 == 0:
        s = np.uint64(start + (high - 1) * stride)
        for i in run:
            to[a + i] = source[s + i] if source[s + i] > to[a + i] else to[a + i]


@compiled
def pool_forward(feature: Floats, rois: Floats, rows: Ints, scale: float, pooled: Floats) -> None:
    """Pool the RoIs `rows`; an empty bin is 0.

    feature: (N, H, W, C); rois: (R, 5); rows: any of 0..R-1; pooled: (R, C, h, w), written at `rows`
    """
    _, height, width, channels = feature.shape
    _, _, bins_y, bins_x = pooled.shape
    spans_y, spans_x = np.empty((2, bins_y), np.int64), np.empty((2, bins_x), np.int64)
    source, strip = feature.reshape(-1), np.empty(width * channels, pooled.dtype)
    tile = np.empty(bins_y * bins_x * channels, pooled.dtype)
    for r in rows:
        if not isfinite(rois[r].sum()):  # visible in the result, so that the caller can find its source
            pooled[r] = np.nan
            continue
        _fill_spans(rois[r, 2], rois[r, 4], scale, height, spans_y, rois)
        _fill_spans(rois[r, 1], rois[r, 3], scale, width, spans_x, rois)
        begin, length = spans_x[0, 0], (spans_x[1, -1] - spans_x[0, 0]) * channels
        corner, stride = (int(rois[r, 0]) * height * width + begin) * channels, width * channels
        tile[:] = 0
        for y in range(bins_y):
            top, bottom = spans_y[0, y], spans_y[1, y]
            if bottom > top:
                _maxima(strip, 0, length, source, corner, stride, top, bottom)
            for x in range(bins_x):
                at = (y * bins_x + x) * channels
                left, right = spans_x[0, x] - begin, spans_x[1, x] - begin
                if bottom > top and right > left:
                    _maxima(tile, at, channels, strip, 0, channels, left, right)
        _transpose(tile, pooled[r].reshape(-1), channels)


@compiled
def pool_backward(
    grad_pooled: Floats, first: int, feature: Floats, rois: Floats, rows: Ints, scale: float, to: Floats
) -> None:
    """Add the gradient of each bin to the pixel of its maximum, for the RoIs `rows` of one image.

    grad_pooled: (R, C, h, w); feature, to: (H, W, B) with the B channels from `first` on; rois: (R, 5)
    """
    bins_y, bins_x = grad_pooled.shape[2:]
    spans_y, spans_x = np.empty((2, bins_y), np.int64), np.empty((2, bins_x), np.int64)
    tile = np.empty(bins_y * bins_x * feature.shape[2], feature.dtype)
    for r in rows:
        if isfinite(rois[r].sum()):
            _fill_spans(rois[r, 2], rois[r, 4], scale, feature.shape[0], spans_y, rois)
            _fill_spans(rois[r, 1], rois[r, 3], scale, feature.shape[1], spans_x, rois)
            _transpose(grad_pooled[r, first : first + feature.shape[2]].reshape(-1), tile, bins_y * bins_x)
            _add_gradients(tile, spans_y, spans_x, feature, to)


@compiled
def _add_gradients(tile: Floats, spans_y: Ints, spans_x: Ints, feature: Floats, to: Floats) -> None:
    """Add the gradients of one RoI's bins, (h, w, B) flat, to the pixels of their maxima."""
    _, width, block = feature.shape
    source, target, bins_x = feature.reshape(-1), to.reshape(-1), spans_x.shape[1]
    strip, maximum = np.empty(width * block, feature.dtype), np.empty(block, feature.dtype)
    begin, length = spans_x[0, 0], (spans_x[1, -1] - spans_x[0, 0]) * block
    for y in range(spans_y.shape[1]):
        top, bottom = spans_y[0, y], spans_y[1, y]
        if bottom > top:
            _maxima(strip, 0, length, source, begin * block, width * block, top, bottom)
        for x in range(bins_x):
            left, right = spans_x[0, x], spans_x[1, x]
            if bottom > top and right > left:
                _maxima(maximum, 0, block, strip, 0, block, left - begin, right - begin)
                for row in range(top, bottom):
                    at, pixels = (row * width + left) * block, right - left
                    _route(target, source, at, pixels, maximum, tile, (y * bins_x + x) * block)


@compiled
def _route(
    target: Floats, source: Floats, at: int, pixels: int, maximum: Floats, grad: Floats, start: int
) -> None:
    """Move the gradient at `start` to the first of the pixels from `at` on that equals the maximum."""
    zero, s, n = grad.dtype.type(0), np.uint64(start), np.uint64(len(maximum))
    for x in range(0, pixels - 1, 2):
        a = np.uint64(at) + np.uint64(x) * n
        b = a + n
        for c in range(n):
            rest = grad[s + c]
            to_a = rest if source[a + c] == maximum[c] else zero
            rest -= to_a
            to_b = rest if source[b + c] == maximum[c] else zero
            target[a + c] += to_a
            target[b + c] += to_b
            grad[s + c] = rest - to_b
    if pixels % 2 == 1:
        a = np.uint64(at) + np.uint64(pixels - 1) * n
        for c in range(n):
            rest = grad[s + c]
            to_a = rest if source[a + c] == maximum[c] else zero
            target[a + c] += to_a
            grad[s + c] = rest - to_a
