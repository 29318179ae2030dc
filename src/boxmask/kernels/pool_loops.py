"""The loops of RoIPool over channels-last features, forward and backward.

A maximum is separable: first over the rows of a strip of bins, which are contiguous in memory, then over the
columns of each bin. Which pixel it came from is not kept: backward finds the maximum again, in the cache, and
compares the pixels with it, which vectorizes and needs no second array as large as the result. Of equal
pixels the gradient goes to the first by row, then by column, as in torchvision.
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
_LOWEST = -np.finfo(np.float32).max  # what torchvision's maximum starts from, in float64 too


@compiled
def _round(number: Real) -> int:
    """To the nearest whole number, halves away from zero, as C does."""
    whole = int(min(max(number, -_FAR), _FAR))
    return whole + (1 if number - whole >= 0.5 else 0) - (1 if whole - number >= 0.5 else 0)


@compiled
def _cover(low: Real, high: Real, scale: float, size: int, spans: Ints, like: Floats) -> None:
    """Fill in which pixels each bin of an RoI covers on one axis: (2, bins), from and to; typed as `like`."""
    real, bins = like.dtype.type, spans.shape[1]
    start = _round(low * real(scale))
    length = max(_round(high * real(scale)) - start + 1, 1)
    step = real(length) / real(bins)
    for b in range(bins):
        spans[0, b] = min(max(int(np.floor(real(b) * step)) + start, 0), size)
        spans[1, b] = min(max(int(np.ceil(real(b + 1) * step)) + start, 0), size)


@compiled
def _turn(tile: Floats, turned: Floats, columns: int) -> None:  # as in `align_loops`: see `compiled` for why
    """Rows of `columns` values, flat -> their columns one after another, flat; four rows at a time."""
    c, r = np.uint64(columns), np.uint64(len(turned) // columns)
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    whole = r - r % four
    for row in range(np.uint64(0), whole, four):
        for column in range(c):
            to, at = column * r + row, row * c + column
            turned[to], turned[to + one] = tile[at], tile[at + c]
            turned[to + two], turned[to + three] = tile[at + two * c], tile[at + three * c]
    for row in range(whole, r):
        for column in range(c):
            turned[column * r + row] = tile[row * c + column]


@compiled
def _maxima(
    to: Floats, at: int, length: int, source: Floats, start: int, stride: int, low: int, high: int
) -> None:
    """to[at:][:length] = the largest, value by value, of the runs `low` to `high`; run 0 is at `start`."""
    a, run, lowest = np.uint64(at), range(np.uint64(length)), to.dtype.type(_LOWEST)
    s = np.uint64(start + low * stride)
    for i in run:
        to[a + i] = source[s + i] if source[s + i] > lowest else lowest
    for k in range(low + 1, high - 1, 2):
        s, t = np.uint64(start + k * stride), np.uint64(start + (k + 1) * stride)
        for i in run:
            one = source[s + i] if source[s + i] > to[a + i] else to[a + i]
            to[a + i] = source[t + i] if source[t + i] > one else one
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
    rows_of, columns_of = np.empty((2, bins_y), np.int64), np.empty((2, bins_x), np.int64)
    source, strip = feature.reshape(-1), np.empty(width * channels, pooled.dtype)
    tile = np.empty(bins_y * bins_x * channels, pooled.dtype)
    for r in rows:
        if not isfinite(rois[r].sum()):  # shows up in the result, so that whoever made it can be found
            pooled[r] = np.nan
            continue
        _cover(rois[r, 2], rois[r, 4], scale, height, rows_of, rois)
        _cover(rois[r, 1], rois[r, 3], scale, width, columns_of, rois)
        begin, length = columns_of[0, 0], (columns_of[1, -1] - columns_of[0, 0]) * channels
        corner, stride = (int(rois[r, 0]) * height * width + begin) * channels, width * channels
        tile[:] = 0
        for y in range(bins_y):
            top, bottom = rows_of[0, y], rows_of[1, y]
            if bottom > top:
                _maxima(strip, 0, length, source, corner, stride, top, bottom)
            for x in range(bins_x):
                at = (y * bins_x + x) * channels
                left, right = columns_of[0, x] - begin, columns_of[1, x] - begin
                if bottom > top and right > left:
                    _maxima(tile, at, channels, strip, 0, channels, left, right)
        _turn(tile, pooled[r].reshape(-1), channels)


@compiled
def pool_backward(
    grad_pooled: Floats, first: int, feature: Floats, rois: Floats, rows: Ints, scale: float, to: Floats
) -> None:
    """Add each maximum's gradient to its pixel, for the RoIs `rows` of one image, in B channels.

    grad_pooled: (R, C, h, w); first: the first of the channels; feature, to: (H, W, B); rois: (R, 5)
    """
    height, width, block = feature.shape
    _, _, bins_y, bins_x = grad_pooled.shape
    rows_of, columns_of = np.empty((2, bins_y), np.int64), np.empty((2, bins_x), np.int64)
    source, target, bins = feature.reshape(-1), to.reshape(-1), bins_y * bins_x
    strip, value = np.empty(width * block, feature.dtype), np.empty(block, feature.dtype)
    tile = np.empty(bins * block, feature.dtype)
    for r in rows:
        if not isfinite(rois[r].sum()):
            continue
        _cover(rois[r, 2], rois[r, 4], scale, height, rows_of, rois)
        _cover(rois[r, 1], rois[r, 3], scale, width, columns_of, rois)
        _turn(grad_pooled[r, first : first + block].reshape(-1), tile, bins)
        begin, length = columns_of[0, 0], (columns_of[1, -1] - columns_of[0, 0]) * block
        for y in range(bins_y):
            top, bottom = rows_of[0, y], rows_of[1, y]
            if bottom > top:
                _maxima(strip, 0, length, source, begin * block, width * block, top, bottom)
            for x in range(bins_x):
                left, right = columns_of[0, x], columns_of[1, x]
                if bottom > top and right > left:
                    _maxima(value, 0, block, strip, 0, block, left - begin, right - begin)
                    for row in range(top, bottom):
                        at, n = (row * width + left) * block, right - left
                        _give(target, source, at, n, value, tile, (y * bins_x + x) * block)


@compiled
def _give(
    target: Floats, source: Floats, at: int, pixels: int, value: Floats, grad: Floats, start: int
) -> None:
    """Where one of the pixels from `at` on is the maximum, move the gradient at `start` to it."""
    none, s, n = grad.dtype.type(0), np.uint64(start), np.uint64(len(value))
    for x in range(0, pixels - 1, 2):
        a = np.uint64(at) + np.uint64(x) * n
        b = a + n
        for c in range(n):
            given = grad[s + c]
            one = given if source[a + c] == value[c] else none
            given -= one
            other = given if source[b + c] == value[c] else none
            target[a + c] += one
            target[b + c] += other
            grad[s + c] = given - other
    if pixels % 2 == 1:
        a = np.uint64(at) + np.uint64(pixels - 1) * n
        for c in range(n):
            given = grad[s + c]
            one = given if source[a + c] == value[c] else none
            target[a + c] += one
            grad[s + c] = given - one
