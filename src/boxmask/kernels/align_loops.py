"""The loops of RoIAlign over channels-last features, forward and backward.

A bin's value is the mean of its samples, and a sample's bilinear weight is a product of a weight in y and
one in x; hence a bin is sum_y wy sum_x wx f[y, x] over the few distinct rows and columns which its samples
touch ("taps"). Forward first adds up the rows of a whole strip of bins, which are contiguous in memory, then
the columns; backward does the same with the transposed weights. Both come down to `_blend`, a weighted sum of
contiguous runs of floats, which fills the vector registers.

Which pixels a sample touches is computed in the features' own type and in torchvision's order of operations,
so that no sample falls on the other side of an edge. Arrays are flat and offsets unsigned in the inner loops:
a signed index could count from the end, and the test for that keeps a loop from being vectorised.
"""

from __future__ import annotations

from math import ceil, isnan

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled, compiled_fused

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]

_LONGEST = 2**20  # pixels of a bin; beyond it the number of samples means nothing any more


@compiled
def _taps(
    low: float,
    high: float,
    scale: float,
    sampling: int,
    aligned: bool,
    size: int,
    first: Ints,
    count: Ints,
    weight: Floats,
) -> None:
    """Fill in, for each bin of an RoI on one axis, the pixels it reads and their weights.

    low, high: the RoI's edges in pixels of the photo; size: pixels of the level on this axis
    first, count: (bins,); weight: (bins, size), of which `count[b]` are filled in for bin b
    """
    real, bins = weight.dtype.type, len(first)
    offset = real(0.5) if aligned else real(0)
    start = real(low) * real(scale) - offset
    length = real(high) * real(scale) - offset - start
    if not aligned:
        length = max(length, real(1))
    step = length / real(bins)
    samples = sampling
    if sampling <= 0:
        step = step if step < _LONGEST else real(np.nan)
        samples = int(ceil(max(step, real(0)))) if step == step else 1
    for b in range(bins):
        _taps_of_bin(start + real(b) * step, step, samples, size, b, first, count, weight)


@compiled
def _taps_of_bin(
    start: float,
    step: float,
    samples: int,
    size: int,
    b: int,
    first: Ints,
    count: Ints,
    weight: Floats,
) -> None:
    """Merge the samples of one bin that touch the same pixel; those outside the level count as zero."""
    real = weight.dtype.type
    low, high = size, -1
    for s in range(samples):
        at = start + real(s + 0.5) * step / real(samples)
        if at >= -1 and at <= size:
            pixel = min(int(max(at, real(0))), size - 1)
            low, high = min(low, pixel), max(high, min(pixel + 1, size - 1))
        elif isnan(at):  # shows up in the result, so that whoever made it can be found
            first[b], count[b], weight[b, 0] = 0, 1, real(np.nan)
            return
    first[b], count[b] = low, max(high - low + 1, 0)
    weight[b, : count[b]] = 0
    for s in range(samples):
        at = start + real(s + 0.5) * step / real(samples)
        if at >= -1 and at <= size:
            at = min(max(at, real(0)), real(size - 1))
            pixel = int(at)
            part = at - real(pixel)
            weight[b, pixel - low] += (real(1) - part) / real(samples)
            if pixel + 1 < size:
                weight[b, pixel + 1 - low] += part / real(samples)


@compiled
def _transpose_taps(
    first: Ints,
    count: Ints,
    weight: Floats,
    low: int,
    high: int,
    first_bin: Ints,
    bin_count: Ints,
    bin_weight: Floats,
) -> None:
    """From the pixels of each bin to the bins of each pixel, for the pixels `low` to `high`.

    first_bin, bin_count: (size,); bin_weight: (size, bins)
    """
    bin_count[low:high] = 0
    for b in range(len(first)):
        for k in range(count[b]):
            pixel = first[b] + k
            if bin_count[pixel] == 0:
                first_bin[pixel] = b
            nth = b - first_bin[pixel]
            bin_weight[pixel, bin_count[pixel] : nth] = 0
            bin_weight[pixel, nth] = weight[b, k]
            bin_count[pixel] = nth + 1


@compiled
def _reach(first: Ints, count: Ints) -> tuple[int, int]:
    """The pixels `low` to `high` which the bins read, (0, 0) if none."""
    low, high = -1, 0
    for b in range(len(first)):
        if count[b] > 0:
            low = first[b] if low < 0 else min(low, first[b])
            high = max(high, first[b] + count[b])
    return max(low, 0), high


@compiled_fused
def _blend(to: Floats, at: int, source: Floats, start: int, stride: int, weights: Floats, n: int, length: int) -> None:
    """to[at + i] = sum over k < n of weights[k] * source[start + k * stride + i], for i < length."""
    a, s0 = np.uint64(at), np.uint64(start)
    s1, s2, s3 = np.uint64(start + stride), np.uint64(start + 2 * stride), np.uint64(start + 3 * stride)
    run = range(np.uint64(length))
    if n == 0:
        for i in run:
            to[a + i] = 0
    elif n == 1:
        w0 = weights[0]
        for i in run:
            to[a + i] = w0 * source[s0 + i]
    elif n == 2:
        w0, w1 = weights[0], weights[1]
        for i in run:
            to[a + i] = w0 * source[s0 + i] + w1 * source[s1 + i]
    elif n == 3:
        w0, w1, w2 = weights[0], weights[1], weights[2]
        for i in run:
            to[a + i] = w0 * source[s0 + i] + w1 * source[s1 + i] + w2 * source[s2 + i]
    else:
        w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
        for i in run:
            pair = w0 * source[s0 + i] + w1 * source[s1 + i]
            to[a + i] = pair + w2 * source[s2 + i] + w3 * source[s3 + i]
        _add_blend(to, at, source, start + 4 * stride, stride, weights[4:], n - 4, length)


@compiled_fused
def _add_blend(
    to: Floats, at: int, source: Floats, start: int, stride: int, weights: Floats, n: int, length: int
) -> None:
    """to[at + i] += sum over k < n of weights[k] * source[start + k * stride + i], two at a time."""
    a, run = np.uint64(at), range(np.uint64(length))
    for k in range(0, n - 1, 2):
        w0, w1 = weights[k], weights[k + 1]
        s0, s1 = np.uint64(start + k * stride), np.uint64(start + (k + 1) * stride)
        for i in run:
            to[a + i] += w0 * source[s0 + i] + w1 * source[s1 + i]
    if n % 2 == 1:
        w0, s0 = weights[n - 1], np.uint64(start + (n - 1) * stride)
        for i in run:
            to[a + i] += w0 * source[s0 + i]


@compiled
def align_forward(
    feature: Floats, rois: Floats, rows: Ints, scale: float, sampling: int, aligned: bool, pooled: Floats
) -> None:
    """Pool the RoIs `rows` of one level.

    feature: (N, H, W, C); rois: (R, 5); rows: any of 0..R-1; pooled: (R, C, h, w), written at `rows`
    """
    _, height, width, channels = feature.shape
    _, _, bins_y, bins_x = pooled.shape
    real = pooled.dtype
    first_y, count_y, weight_y = np.empty(bins_y, np.int64), np.empty(bins_y, np.int64), np.empty((bins_y, height), real)
    first_x, count_x, weight_x = np.empty(bins_x, np.int64), np.empty(bins_x, np.int64), np.empty((bins_x, width), real)
    source, strip = feature.reshape(-1), np.empty(width * channels, real)
    tile = np.empty(bins_y * bins_x * channels, real)
    for row in rows:
        _taps(rois[row, 2], rois[row, 4], scale, sampling, aligned, height, first_y, count_y, weight_y)
        _taps(rois[row, 1], rois[row, 3], scale, sampling, aligned, width, first_x, count_x, weight_x)
        low, high = _reach(first_x, count_x)
        corner = int(rois[row, 0]) * height * width + low
        for y in range(bins_y):
            start = (corner + first_y[y] * width) * channels
            length = (high - low) * channels
            _blend(strip, 0, source, start, width * channels, weight_y[y], count_y[y], length)
            for x in range(bins_x):
                at = (y * bins_x + x) * channels
                _blend(tile, at, strip, (first_x[x] - low) * channels, channels, weight_x[x], count_x[x], channels)
        _turn(tile, pooled[row].reshape(-1), channels)


@compiled
def _turn(tile: Floats, pooled: Floats, channels: int) -> None:
    """(h, w, C) -> (C, h, w), both flat."""
    bins = len(pooled) // channels
    for c in range(channels):
        for b in range(bins):
            pooled[c * bins + b] = tile[b * channels + c]


@compiled
def align_backward(
    grad_pooled: Floats,
    rois: Floats,
    rows: Ints,
    scale: float,
    sampling: int,
    aligned: bool,
    image: int,
    top: int,
    bottom: int,
    grad_feature: Floats,
) -> None:
    """Set the gradient of one level in one image, pixel rows `top` to `bottom`, from the RoIs `rows` of it.

    grad_pooled: (R, C, h, w); rois: (R, 5); grad_feature: (N, H, W, C), may be uninitialised
    """
    _, height, width, channels = grad_feature.shape
    _, _, bins_y, bins_x = grad_pooled.shape
    real = grad_feature.dtype
    first_y, count_y, weight_y = np.empty(bins_y, np.int64), np.empty(bins_y, np.int64), np.empty((bins_y, height), real)
    first_x, count_x, weight_x = np.empty(bins_x, np.int64), np.empty(bins_x, np.int64), np.empty((bins_x, width), real)
    bin_y, bins_of_y, share_y = np.empty(height, np.int64), np.empty(height, np.int64), np.empty((height, bins_y), real)
    bin_x, bins_of_x, share_x = np.empty(width, np.int64), np.empty(width, np.int64), np.empty((width, bins_x), real)
    target, strip = grad_feature[image].reshape(-1), np.empty(bins_x * channels, real)
    tile = np.empty(bins_y * bins_x * channels, real)
    target[top * width * channels : bottom * width * channels] = 0
    for row in rows:
        _taps(rois[row, 2], rois[row, 4], scale, sampling, aligned, height, first_y, count_y, weight_y)
        low_y, high_y = _reach(first_y, count_y)
        if high_y <= top or low_y >= bottom:
            continue
        _taps(rois[row, 1], rois[row, 3], scale, sampling, aligned, width, first_x, count_x, weight_x)
        low_x, high_x = _reach(first_x, count_x)
        _transpose_taps(first_y, count_y, weight_y, low_y, high_y, bin_y, bins_of_y, share_y)
        _transpose_taps(first_x, count_x, weight_x, low_x, high_x, bin_x, bins_of_x, share_x)
        _turn(grad_pooled[row].reshape(-1), tile, bins_y * bins_x)
        for y in range(max(low_y, top), min(high_y, bottom)):
            _blend(strip, 0, tile, bin_y[y] * len(strip), len(strip), share_y[y], bins_of_y[y], len(strip))
            for x in range(low_x, high_x):
                at = (y * width + x) * channels
                _add_blend(target, at, strip, bin_x[x] * channels, channels, share_x[x], bins_of_x[x], channels)
