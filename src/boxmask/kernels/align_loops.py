"""The loops of RoIAlign over channels-last features, forward and backward.

A bin's value is the mean of its samples, and a sample's bilinear weight is a product of a weight in y and
one in x; hence a bin is sum_y wy sum_x wx f[y, x] over the few distinct rows and columns which its samples
touch ("taps"). Forward first adds up the rows of a whole strip of bins, which are contiguous in memory, then
the columns; backward does the same with the transposed weights. Both come down to `_blend`, a weighted sum of
contiguous runs of floats, which fills the vector registers.

Which pixels a sample touches is computed in the features' own type and in torchvision's order of operations,
so that no sample falls on the other side of an edge. Arrays are flat and offsets unsigned in the inner loops:
a signed index could count from the end, and the test for that keeps a loop from being vectorized.
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

_LONGEST = 2**20  # pixels of a bin; beyond it the number of samples means nothing any more


class Sampling(NamedTuple):
    """How RoIs lie on a level, in the words of `boxmask.kernels.roi_align`."""

    scale: float
    ratio: int
    aligned: bool


class Band(NamedTuple):
    """The rows `top` to `bottom` of one image's map."""

    image: int
    top: int
    bottom: int


class Taps(NamedTuple):
    """What each of n places on one axis reads: `number` sources from `first` on, and the weight of each.

    first, number: (n,); weight: (n, most sources)
    """

    first: Ints
    number: Ints
    weight: Floats


@compiled
def _taps(n: int, sources: int, like: Floats) -> Taps:
    return Taps(np.empty(n, np.int64), np.empty(n, np.int64), np.empty((n, sources), like.dtype))


@compiled
def _read(low: Real, high: Real, sampling: Sampling, taps: Taps) -> None:
    """Fill in which pixels the bins of an RoI read; `low` and `high` are its edges in pixels of the photo."""
    real, bins = taps.weight.dtype.type, len(taps.first)
    offset = real(0.5) if sampling.aligned else real(0)
    start = low * real(sampling.scale) - offset
    length = high * real(sampling.scale) - offset - start
    if not sampling.aligned:
        length = max(length, real(1))
    step = length / real(bins)
    samples = sampling.ratio
    if samples <= 0:
        step = step if step < _LONGEST else real(np.nan)
        samples = 1 if isnan(step) else int(np.ceil(max(step, real(0))))
    for b in range(bins):
        _read_bin(start + real(b) * step, step, samples, taps, b)


@compiled
def _read_bin(start: Real, step: Real, samples: int, taps: Taps, b: int) -> None:
    """Merge the samples of bin `b` that touch the same pixel; those outside the level count as zero."""
    real, size = taps.weight.dtype.type, taps.weight.shape[1]
    low, high = size, -1
    for s in range(samples):
        at = start + real(s + 0.5) * step / real(samples)
        if at >= -1 and at <= size:
            pixel = min(int(max(at, real(0))), size - 1)
            low, high = min(low, pixel), max(high, min(pixel + 1, size - 1))
        elif isnan(at):  # shows up in the result, so that whoever made it can be found
            taps.first[b], taps.number[b], taps.weight[b, 0] = 0, 1, real(np.nan)
            return
    taps.first[b], taps.number[b] = low, max(high - low + 1, 0)
    weight = taps.weight[b, : taps.number[b]]
    weight[:] = 0
    for s in range(samples):
        at = start + real(s + 0.5) * step / real(samples)
        if at >= -1 and at <= size:
            at = min(max(at, real(0)), real(size - 1))
            pixel = int(at)
            part = at - real(pixel)
            weight[pixel - low] += (real(1) - part) / real(samples)
            if pixel + 1 < size:
                weight[pixel + 1 - low] += part / real(samples)


@compiled
def _transpose(taps: Taps, low: int, high: int, by_pixel: Taps) -> None:
    """From the pixels that a bin reads to the bins that read a pixel, for the pixels `low` to `high`."""
    by_pixel.number[low:high] = 0
    for b in range(len(taps.first)):
        for k in range(taps.number[b]):
            pixel = taps.first[b] + k
            if by_pixel.number[pixel] == 0:
                by_pixel.first[pixel] = b
            nth = b - by_pixel.first[pixel]
            by_pixel.weight[pixel, by_pixel.number[pixel] : nth] = 0
            by_pixel.weight[pixel, nth] = taps.weight[b, k]
            by_pixel.number[pixel] = nth + 1


@compiled
def _reach(taps: Taps) -> tuple[int, int]:
    """The pixels `low` to `high` which the bins read, (0, 0) if none."""
    low, high = -1, 0
    for b in range(len(taps.first)):
        if taps.number[b] > 0:
            low = taps.first[b] if low < 0 else min(low, taps.first[b])
            high = max(high, taps.first[b] + taps.number[b])
    return max(low, 0), high


@compiled_fused
def _blend(
    to: Floats, at: int, length: int, source: Floats, begin: int, stride: int, taps: Taps, b: int
) -> None:
    """to[at:][:length] = the runs of `length` that place `b` reads, weighted and added; run 0 is at `begin`.

    Offsets rather than slices: a slice counts a reference, which other threads have to wait for.
    """
    n, run, a = taps.number[b], range(np.uint64(length)), np.uint64(at)
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
    """The same, added to what is there, from the run `first` on, two at a time."""
    n, run, a = taps.number[b], range(np.uint64(length)), np.uint64(at)
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
def _turn(tile: Floats, turned: Floats, columns: int) -> None:
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
def align_forward(feature: Floats, rois: Floats, rows: Ints, sampling: Sampling, pooled: Floats) -> None:
    """Pool the RoIs `rows` of one level.

    feature: (N, H, W, C); rois: (R, 5); rows: any of 0..R-1; pooled: (R, C, h, w), written at `rows`
    """
    _, height, width, channels = feature.shape
    _, _, bins_y, bins_x = pooled.shape
    taps_y, taps_x = _taps(bins_y, height, pooled), _taps(bins_x, width, pooled)
    source, strip = feature.reshape(-1), np.empty(width * channels, pooled.dtype)
    tile = np.empty(bins_y * bins_x * channels, pooled.dtype)
    for row in rows:
        _read(rois[row, 2], rois[row, 4], sampling, taps_y)
        _read(rois[row, 1], rois[row, 3], sampling, taps_x)
        low, high = _reach(taps_x)
        corner, length = int(rois[row, 0]) * height * width + low, (high - low) * channels
        for y in range(bins_y):
            _blend(strip, 0, length, source, corner * channels, width * channels, taps_y, y)
            for x in range(bins_x):
                at = (y * bins_x + x) * channels
                _blend(tile, at, channels, strip, -low * channels, channels, taps_x, x)
        _turn(tile, pooled[row].reshape(-1), channels)


@compiled
def align_backward(
    grad_pooled: Floats, rois: Floats, rows: Ints, sampling: Sampling, band: Band, grad_feature: Floats
) -> None:
    """Set the gradient of one level in a band of one image, from the RoIs `rows` of that image and level.

    grad_pooled: (R, C, h, w); rois: (R, 5); grad_feature: (N, H, W, C), may be uninitialized
    """
    _, height, width, channels = grad_feature.shape
    _, _, bins_y, bins_x = grad_pooled.shape
    taps_y, taps_x = _taps(bins_y, height, grad_pooled), _taps(bins_x, width, grad_pooled)
    bins_of_y, bins_of_x = _taps(height, bins_y, grad_pooled), _taps(width, bins_x, grad_pooled)
    target, tile = grad_feature[band.image].reshape(-1), np.empty(bins_y * bins_x * channels, rois.dtype)
    strip = np.empty(bins_x * channels, rois.dtype)
    target[band.top * width * channels : band.bottom * width * channels] = 0
    for row in rows:
        _read(rois[row, 2], rois[row, 4], sampling, taps_y)
        low_y, high_y = _reach(taps_y)
        if high_y <= band.top or low_y >= band.bottom:
            continue
        _read(rois[row, 1], rois[row, 3], sampling, taps_x)
        low_x, high_x = _reach(taps_x)
        _transpose(taps_y, low_y, high_y, bins_of_y)
        _transpose(taps_x, low_x, high_x, bins_of_x)
        _turn(grad_pooled[row].reshape(-1), tile, bins_y * bins_x)
        for y in range(max(low_y, band.top), min(high_y, band.bottom)):
            _blend(strip, 0, len(strip), tile, 0, len(strip), bins_of_y, y)
            for x in range(low_x, high_x):
                at = (y * width + x) * channels
                _add_blend(target, at, channels, strip, 0, channels, bins_of_x, x, 0)
