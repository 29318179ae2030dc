"""The loops of RoIPool over channels-last features, forward and backward.

A maximum is separable: first over the rows of a strip of bins, which are contiguous in memory, then over the
columns of each bin. The pixel that gave it is kept for backward; of equals it is the first by row, then by
column, as in torchvision.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled

Floats = NDArray[Any]
Ints = NDArray[np.int64]
Places = NDArray[np.int32]

_FAR = 2.0**30  # beyond any map
_LOWEST = -np.finfo(np.float32).max  # what torchvision's maximum starts from, in float64 too


@compiled
def _round(number: Any) -> int:
    """To the nearest whole number, halves away from zero, as C does."""
    whole = int(min(max(number, -_FAR), _FAR))
    return whole + (1 if number - whole >= 0.5 else 0) - (1 if whole - number >= 0.5 else 0)


@compiled
def _edges(low: Any, high: Any, scale: float, size: int, spans: Ints, like: Floats) -> None:
    """Fill in which pixels each bin of an RoI covers on one axis: (2, bins), from and to; sums as in `like`."""
    real, bins = like.dtype.type, spans.shape[1]
    start = _round(real(low) * real(scale))
    length = max(_round(real(high) * real(scale)) - start + 1, 1)
    step = real(length) / real(bins)
    for b in range(bins):
        spans[0, b] = min(max(int(np.floor(real(b) * step)) + start, 0), size)
        spans[1, b] = min(max(int(np.ceil(real(b + 1) * step)) + start, 0), size)


@compiled
def _best_of_rows(
    source: Floats, start: int, stride: int, low: int, high: int, length: int, best: Floats, row: Places
) -> None:
    """best[i] = max over rows y of source[start + y * stride + i], and row[i] the first y that gives it."""
    run = range(np.uint64(length))
    for i in run:
        best[i], row[i] = _LOWEST, -1
    for y in range(low, high):
        at, here = np.uint64(start + y * stride), np.int32(y)
        for i in run:
            value = source[at + i]
            above = value > best[i]
            best[i] = value if above else best[i]
            row[i] = here if above else row[i]


@compiled
def _best_of_columns(
    best: Floats,
    row: Places,
    low: int,
    high: int,
    begin: int,
    width: int,
    channels: int,
    tile: Floats,
    place: Places,
) -> None:
    """The same over columns of a strip that begins at `begin`; place is row * width + column."""
    run = range(np.uint64(channels))
    first = np.uint64((low - begin) * channels)
    for c in run:
        tile[c], place[c] = best[first + c], row[first + c] * np.int32(width) + np.int32(low)
        place[c] = place[c] if row[first + c] >= 0 else np.int32(-1)
    for x in range(low + 1, high):
        at, here = np.uint64((x - begin) * channels), np.int32(x)
        for c in run:
            value, where = best[at + c], row[at + c] * np.int32(width) + here
            better = (value > tile[c]) | ((value == tile[c]) & (where < place[c]) & (row[at + c] >= 0))
            tile[c] = value if better else tile[c]
            place[c] = where if better else place[c]


@compiled
def _turn(tile: Floats, turned: Floats, columns: int) -> None:  # as in `align_loops`: see `compiled` for why
    """Rows of `columns` values, flat -> their columns one after another, flat."""
    rows = len(turned) // columns
    for column in range(columns):
        for row in range(rows):
            turned[column * rows + row] = tile[row * columns + column]


@compiled
def pool_forward(
    feature: Floats, rois: Floats, rows: Ints, scale: float, pooled: Floats, places: Places
) -> None:
    """Pool the RoIs `rows`; where a bin is empty the result is 0 and its place -1.

    feature: (N, H, W, C); rois: (R, 5); pooled: (R, C, h, w); places: (R, C, h, w), row * W + column
    """
    _, height, width, channels = feature.shape
    _, _, bins_y, bins_x = pooled.shape
    rows_of, columns_of = np.empty((2, bins_y), np.int64), np.empty((2, bins_x), np.int64)
    source, tile = feature.reshape(-1), np.empty((bins_y * bins_x, channels), pooled.dtype)
    tile_places = np.empty((bins_y * bins_x, channels), np.int32)
    best, row = np.empty(width * channels, pooled.dtype), np.empty(width * channels, np.int32)
    for r in rows:
        if not isfinite(rois[r].sum()):  # shows up in the result, so that whoever made it can be found
            pooled[r], places[r] = np.nan, -1
            continue
        _edges(rois[r, 2], rois[r, 4], scale, height, rows_of, rois)
        _edges(rois[r, 1], rois[r, 3], scale, width, columns_of, rois)
        begin, length = columns_of[0, 0], (columns_of[1, -1] - columns_of[0, 0]) * channels
        corner = (int(rois[r, 0]) * height * width + begin) * channels
        for y in range(bins_y):
            top, bottom = rows_of[0, y], rows_of[1, y]
            _best_of_rows(source, corner, width * channels, top, bottom, length, best, row)
            for x in range(bins_x):
                value, place = tile[y * bins_x + x], tile_places[y * bins_x + x]
                left, right = columns_of[0, x], columns_of[1, x]
                if bottom > top and right > left:
                    _best_of_columns(best, row, left, right, begin, width, channels, value, place)
                else:
                    value[:], place[:] = 0, -1
        _turn(tile.reshape(-1), pooled[r].reshape(-1), channels)
        _turn(tile_places.reshape(-1), places[r].reshape(-1), channels)


@compiled
def pool_backward(
    grad_pooled: Floats, places: Places, rows: Ints, image: int, begin: int, end: int, grad_feature: Floats
) -> None:
    """Give each maximum's gradient to its pixel, in the channels `begin` to `end`, for the RoIs `rows`.

    grad_pooled, places: (R, C, h, w); grad_feature: (N, H, W, C), may be uninitialised
    """
    _, _, _, channels = grad_feature.shape
    grad_feature[image, :, :, begin:end] = 0
    target, stride = grad_feature[image].reshape(-1), np.uint64(channels)
    bins = grad_pooled.shape[2] * grad_pooled.shape[3]
    for r in rows:
        given, place = grad_pooled[r, begin:end].reshape(-1), places[r, begin:end].reshape(-1)
        for c in range(end - begin):
            for i in range(c * bins, (c + 1) * bins):
                if place[i] >= 0:
                    target[np.uint64(place[i]) * stride + np.uint64(begin + c)] += given[i]
