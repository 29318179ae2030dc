"""The loops of RoIAlign over channels-last features, forward and backward.

A bin is the mean of bilinear samples, in which a pixel's weight is a weight in y times one in x. Hence a bin
is sum_y wy sum_x wx f[y, x] over the few rows and columns ("taps") that its samples read. Forward sums the
rows of a whole strip of bins first, then columns; backward uses the transposed weights.

Which pixels a sample reads is computed in the features' own type and in torchvision's order of operations.
Inner loops use flat arrays, because slices count references, and unsigned offsets, which vectorize.
"""

from __future__ import annotations

from math import isnan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled, compiled_fused

Real = Any  # a scalar of the features' type
Floats = NDArray[Any]
Ints = NDArray[np.int64]

_ZERO: Any = np.int64(0)  # literals are types of their own, for which numba compiles again
_MAX_STEP = 2**20  # pixels per bin; beyond, the number of samples is meaningless


class Sampling(NamedTuple):
    """Arguments of `boxmask.kernels.roi_align`: spatial scale, sampling ratio, aligned."""

    scale: float
    ratio: int
    aligned: bool


class Band(NamedTuple):
    """The rows `top` to `bottom` of one image's map."""

    image: int
    top: int
    bottom: int


class Taps(NamedTuple):
    """The sources that each of n positions on one axis reads: `length` of them from `first` on, weighted.

    first, length: (n,); weight: (n, number of sources)
    """

    first: Ints
    length: Ints
    weight: Floats


@compiled
def _empty_taps(n: int, sources: int, like: Floats) -> Taps:
    return Taps(np.empty(n, np.int64), np.empty(n, np.int64), np.empty((n, sources), like.dtype))


@compiled
def _fill_taps(low: Real, high: Real, sampling: Sampling, taps: Taps) -> None:
    """Set the pixels that the bins of an RoI read; `low` and `high` are its edges in pixels of the image."""
    real, bins = taps.weight.dtype.type, len(taps.first)
    offset = real(0.5) if sampling.aligned else real(0)
    start = low * real(sampling.scale) - offset
    length = high * real(sampling.scale) - offset - start
    if not sampling.aligned:
        length = max(length, real(1))
    step = length / real(bins)
    samples = sampling.ratio
    if samples <= 0:
        step = step if step < _MAX_STEP else real(np.nan)
        samples = 1 if isnan(step) else int(np.ceil(max(step, real(0))))
    for b in range(bins):
        _fill_bin(start + real(b) * step, step, samples, taps, b)


@compiled
def _fill_bin(start: Real, step: Real, samples: int, taps: Taps, b: int) -> None:
    """Merge the samples of bin `b` that read the same pixel; samples outside the level count as zero."""
    real, size = taps.weight.dtype.type, taps.weight.shape[1]
    low, high = size, -1
    for s in range(samples):
        at = start + real(s + 0.5) * step / real(samples)
        if at >= -1 and at <= size:
            pixel = min(int(max(at, real(0))), size - 1)
            low, high = min(low, pixel), max(high, min(pixel + 1, size - 1))
        elif isnan(at):  # visible in the result, so that the caller can find its source
            taps.first[b], taps.length[b], taps.weight[b, 0] = 0, 1, real(np.nan)
            return
    taps.first[b], taps.length[b] = low, max(high - low + 1, 0)
    weight = taps.weight[b, : taps.length[b]]
    weight[:] = 0
    for s in range(samples):
        at = start + real(s + 0.5) * step / real(samples)
        if at >= -1 and at <= size:
            at = min(max(at, real(0)), real(size - 1))
            pixel = int(at)
            fraction = at - real(pixel)
            weight[pixel - low] += (real(1) - fraction) / real(samples)
            if pixel + 1 < size:
                weight[pixel + 1 - low] += fraction / real(samples)


@compiled
def _transpose_taps(taps: Taps, low: int, high: int, by_pixel: Taps) -> None:
    """Convert "pixels that a bin reads" to "bins that read a pixel", for the pixels `low` to `high`."""
    by_pixel.length[low:high] = 0
    for b in range(len(taps.first)):
        for k in range(taps.length[b]):
            pixel = taps.first[b] + k
            if by_pixel.length[pixel] == 0:
                by_pixel.first[pixel] = b
            nth = b - by_pixel.first[pixel]
            by_pixel.weight[pixel, by_pixel.length[pixel] : nth] = 0
            by_pixel.weight[pixel, nth], by_pixel.length[pixel] = taps.weight[b, k], nth + 1


@compiled
def _span(taps: Taps) -> tuple[int, int]:
    """Return the range of pixels that the bins read; (0, 0) if none."""
    low, high = -1, 0
    for b in range(len(taps.first)):
        if taps.length[b] > 0:
            low = taps.first[b] if low < 0 else min(low, taps.first[b])
            high = max(high, taps.first[b] + taps.length[b])
    return max(low, 0), high


@compiled_fused
def _blend(
    to: Floats, at: int, length: int, source: Floats, begin: int, stride: int, taps: Taps, b: int
) -> None:
    """to[at:][:length] = the weighted sum of the runs that position `b` reads; run 0 is at source[begin:]."""
    n, run, a = taps.length[b], range(np.uint64(length)), np.uint64(at)
    start = begin + taps.first[b] * stride
    s0, s1 = np.uint64(start), np.uint64(start + stride)
    s2, s3 = np.uint64(start + 2 * stride), np.uint64(start + 3 * stride)
    if n == 0:
        for i in run:
            to[a + i] = 0
    elif n == 1:
        w0 = taps.weight[b, 0]
        for i in run:
            to[a + i] = w0 * source[s0 + i]
    elif n == 2:
        w0, w1 = taps.weight[b, 0], taps.weight[b, 1]
        for i in run:
            to[a + i] = w0 * source[s0 + i] + w1 * source[s1 + i]
    elif n == 3:
        w0, w1, w2 = taps.weight[b, 0], taps.weight[b, 1], taps.weight[b, 2]
        for i in run:
            to[a + i] = w0 * source[s0 + i] + w1 * source[s1 + i] + w2 * source[s2 + i]
    else:
        w0, w1, w2, w3 = taps.weight[b, 0], taps.weight[b, 1], taps.weight[b, 2], taps.weight[b, 3]
        for i in run:
            pair = w0 * source[s0 + i] + w1 * source[s1 + i]
            to[a + i] = pair + w2 * source[s2 + i] + w3 * source[s3 + i]
        _add_blend(to, at, length, source, begin, stride, taps, b, 4)


@compiled_fused
def _add_blend(
    to: Floats, at: int, length: int, source: Floats, begin: int, stride: int, taps: Taps, b: int, first: int
) -> None:
    """Like `_blend`, from the run `first` on, added to what is there; two runs at a time."""
    n, run, a = taps.length[b], range(np.uint64(length)), np.uint64(at)
    start = begin + taps.first[b] * stride
    for k in range(first, n - 1, 2):
        w0, w1 = taps.weight[b, k], taps.weight[b, k + 1]
        s0, s1 = np.uint64(start + k * stride), np.uint64(start + (k + 1) * stride)
        for i in run:
            to[a + i] += w0 * source[s0 + i] + w1 * source[s1 + i]
    if (n - first) % 2 == 1:
        w0, s0 = taps.weight[b, n - 1], np.uint64(start + (n - 1) * stride)
        for i in run:
            to[a + i] += w0 * source[s0 + i]


@compiled
def _transpose(tile: Floats, out: Floats, columns: int) -> None:
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
def align_forward(feature: Floats, rois: Floats, rows: Ints, sampling: Sampling, pooled: Floats) -> None:
    """Pool the RoIs `rows` of one level.

    feature: (N, H, W, C); rois: (R, 5); rows: any of 0..R-1; pooled: (R, C, h, w), written at `rows`
    """
    _, height, width, channels = feature.shape
    _, _, bins_y, bins_x = pooled.shape
    taps_y, taps_x = _empty_taps(bins_y, height, pooled), _empty_taps(bins_x, width, pooled)
    source, strip = feature.reshape(-1), np.empty(width * channels, pooled.dtype)
    tile = np.empty(bins_y * bins_x * channels, pooled.dtype)
    for row in rows:
        _fill_taps(rois[row, 2], rois[row, 4], sampling, taps_y)
        _fill_taps(rois[row, 1], rois[row, 3], sampling, taps_x)
        low, high = _span(taps_x)
        corner, length = int(rois[row, 0]) * height * width + low, (high - low) * channels
        for y in range(bins_y):
            _blend(strip, _ZERO, length, source, corner * channels, width * channels, taps_y, y)
            for x in range(bins_x):
                at = (y * bins_x + x) * channels
                _blend(tile, at, channels, strip, -low * channels, channels, taps_x, x)
        _transpose(tile, pooled[row].reshape(-1), channels)


@compiled
def align_backward(
    grad_pooled: Floats, rois: Floats, rows: Ints, sampling: Sampling, band: Band, grad_feature: Floats
) -> None:
    """Write the gradient of one level in a band of one image, from the RoIs `rows` of that image and level.

    grad_pooled: (R, C, h, w); rois: (R, 5); grad_feature: (N, H, W, C), may be uninitialized
    """
    _, height, width, channels = grad_feature.shape
    _, _, bins_y, bins_x = grad_pooled.shape
    taps_y, taps_x = _empty_taps(bins_y, height, grad_pooled), _empty_taps(bins_x, width, grad_pooled)
    bins_of_y, bins_of_x = _empty_taps(height, bins_y, grad_pooled), _empty_taps(width, bins_x, grad_pooled)
    target, tile = grad_feature[band.image].reshape(-1), np.empty(bins_y * bins_x * channels, rois.dtype)
    strip = np.empty(bins_x * channels, rois.dtype)
    target[band.top * width * channels : band.bottom * width * channels] = 0
    for row in rows:
        _fill_taps(rois[row, 2], rois[row, 4], sampling, taps_y)
        low_y, high_y = _span(taps_y)
        if high_y <= band.top or low_y >= band.bottom:
            continue
        _fill_taps(rois[row, 1], rois[row, 3], sampling, taps_x)
        low_x, high_x = _span(taps_x)
        _transpose_taps(taps_y, low_y, high_y, bins_of_y)
        _transpose_taps(taps_x, low_x, high_x, bins_of_x)
        _transpose(grad_pooled[row].reshape(-1), tile, bins_y * bins_x)
        for y in range(max(low_y, band.top), min(high_y, band.bottom)):
            _blend(strip, _ZERO, len(strip), tile, _ZERO, len(strip), bins_of_y, y)
            for x in range(low_x, high_x):
                at = (y * width + x) * channels
                _add_blend(target, at, channels, strip, _ZERO, channels, bins_of_x, x, _ZERO)
