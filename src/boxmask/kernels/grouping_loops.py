"""The loops of Selective Search after its first segmentation: regions described, then grouped.

Uijlings et al., "Selective Search for Object Recognition", IJCV 2013 (doi:10.1007/s11263-013-0620-5),
section 3.1 (hierarchical grouping, algorithm 1) and 3.2 (similarities, equations 2 to 6).
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled, compiled_fused

Region = Any  # the number of one
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]


class Regions(NamedTuple):
    """R regions of one segmentation.

    sizes: (R,) pixels; boxes: (R, 4) first and one past the last column and row, xyxy
    colours, textures: (R, bins) histograms, each of sum 1
    """

    sizes: Ints
    boxes: Ints
    colours: Floats
    textures: Floats


class Weights(NamedTuple):
    """How much each similarity counts: 1 or 0."""

    colour: float
    texture: float
    size: float
    fill: float


@compiled
def describe_regions(labels: Ints, count: int, colour: Bytes, texture: Bytes, bins: Any) -> Regions:
    """Sizes, boxes and histograms of the regions 0..count-1.

    labels: (H, W); colour, texture: (H, W, F) number of the bin of each of F features; bins: of a colour
    feature and of a texture feature
    """
    height, width = labels.shape
    sizes, boxes = np.zeros(count, np.int32), np.empty((count, 4), np.int32)
    boxes[:, :2], boxes[:, 2:] = max(height, width), 0
    colours = np.zeros((count, colour.shape[2] * bins[0]), np.float32)
    textures = np.zeros((count, texture.shape[2] * bins[1]), np.float32)
    for y in range(height):
        for x in range(width):
            r = labels[y, x]
            sizes[r] += 1
            box = boxes[r]
            box[0], box[1] = min(box[0], x), min(box[1], y)
            box[2], box[3] = max(box[2], x + 1), max(box[3], y + 1)
            _count(colours[r], colour[y, x], bins[0])
            _count(textures[r], texture[y, x], bins[1])
    for r in range(count):
        colours[r] /= np.float32(sizes[r] * colour.shape[2])
        textures[r] /= np.float32(sizes[r] * texture.shape[2])
    return Regions(sizes, boxes, colours, textures)


@compiled
def _count(histogram: Floats, bins: Bytes, each: int) -> None:
    for f in range(len(bins)):
        histogram[f * each + bins[f]] += np.float32(1)


@compiled
def adjacent_regions(labels: Ints, count: int) -> Any:
    """Pairs (a, b), a < b, of regions that touch at a pixel's side or corner, each once and in order."""
    height, width = labels.shape
    found = np.empty(4 * height * width, np.int64)
    n = 0
    for y in range(height):
        for x in range(width):
            a = np.int64(labels[y, x])
            for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
                v, u = y + dy, x + dx
                if v < height and 0 <= u < width and labels[v, u] != a:
                    b = np.int64(labels[v, u])
                    found[n] = min(a, b) * count + max(a, b)
                    n += 1
    keys = np.unique(found[:n])
    pairs = np.empty((len(keys), 2), np.int32)
    for k in range(len(keys)):
        pairs[k, 0], pairs[k, 1] = keys[k] // count, keys[k] % count
    return pairs


@compiled_fused
def _shared(a: Floats, b: Floats) -> float:
    """Histogram intersection, equation 2 and 4."""
    total = np.float32(0)
    for k in range(len(a)):
        total += min(a[k], b[k])
    return np.float64(total)


@compiled
def _similarity(regions: Regions, a: Region, b: Region, weights: Weights, area: float) -> float:
    total = 0.0
    if weights.colour > 0:
        total += weights.colour * _shared(regions.colours[a], regions.colours[b])
    if weights.texture > 0:
        total += weights.texture * _shared(regions.textures[a], regions.textures[b])
    pixels = float(regions.sizes[a]) + float(regions.sizes[b])
    if weights.size > 0:
        total += weights.size * (1 - pixels / area)
    if weights.fill > 0:
        one, two = regions.boxes[a], regions.boxes[b]
        width = max(one[2], two[2]) - min(one[0], two[0])
        height = max(one[3], two[3]) - min(one[1], two[1])
        total += weights.fill * (1 - (float(width) * float(height) - pixels) / area)
    return total


@compiled
def _grown(array: Any, rows: int) -> Any:
    larger = np.empty((rows,) + array.shape[1:], array.dtype)  # noqa: RUF005 (numba)
    larger[: len(array)] = array
    return larger


@compiled
def _neighbour_lists(pairs: Ints, count: int, most: int) -> Any:
    """The neighbours of region r: arena[starts[r] : starts[r] + lengths[r]]; room for `most` regions."""
    starts, lengths = np.zeros(most, np.int64), np.zeros(most, np.int64)
    for a, b in pairs:
        lengths[a] += 1
        lengths[b] += 1
    for r in range(1, count):
        starts[r] = starts[r - 1] + lengths[r - 1]
    arena, filled = np.empty(4 * len(pairs) + 1, np.int32), starts.copy()
    for a, b in pairs:
        arena[filled[a]], arena[filled[b]] = b, a
        filled[a] += 1
        filled[b] += 1
    return starts, lengths, arena


@compiled
def _alive(merged: Ints, region: Region) -> Region:
    """What has become of a region."""
    while merged[region] >= 0:
        following = np.int64(merged[region])
        if merged[following] >= 0:
            merged[region] = merged[following]
        region = following
    return region


@compiled_fused
def _merge(regions: Regions, a: Region, b: Region, new: Region) -> None:
    """Fill in region `new` = a + b; histograms are averaged by size (equations 3 and 4)."""
    sizes, boxes = regions.sizes, regions.boxes
    sizes[new] = sizes[a] + sizes[b]
    for k in range(2):
        boxes[new, k] = min(boxes[a, k], boxes[b, k])
        boxes[new, k + 2] = max(boxes[a, k + 2], boxes[b, k + 2])
    part = np.float32(sizes[a] / sizes[new])
    rest = np.float32(1) - part
    for histogram in (regions.colours, regions.textures):
        one, two, to = histogram[a], histogram[b], histogram[new]
        for k in range(len(to)):
            to[k] = part * one[k] + rest * two[k]


@compiled
def group_regions(first: Regions, pairs: Ints, weights: Weights, area: float) -> Any:
    """Algorithm 1: the two most similar neighbours become one, until one is left or none touch.

    Gives boxes of all regions, (R + M, 4): the first R as they were and one for each of M merges, in order;
    and the merges, (M, 2): which two became region R + m.
    """
    count = len(first.sizes)
    most = 2 * count - 1
    regions = Regions(
        _grown(first.sizes, most),
        _grown(first.boxes, most),
        _grown(first.colours, most),
        _grown(first.textures, most),
    )
    merges, merged = np.empty((count - 1, 2), np.int32), np.full(most, -1, np.int32)
    starts, lengths, arena = _neighbour_lists(pairs, count, most)
    used, stamps = len(pairs) * 2, np.full(most, -1, np.int32)
    heap: Any = [
        (-_similarity(regions, np.int64(a), np.int64(b), weights, area), np.int64(a), np.int64(b))
        for a, b in pairs
    ]
    heapify(heap)
    new = count
    while heap:
        _, a, b = heappop(heap)
        if merged[a] >= 0 or merged[b] >= 0:
            continue
        merges[new - count, 0], merges[new - count, 1] = a, b
        merged[a], merged[b] = new, new
        _merge(regions, a, b, new)
        if used + lengths[a] + lengths[b] > len(arena):
            arena = _grown(arena, 2 * (used + lengths[a] + lengths[b]))
        starts[new] = used
        for parent in (a, b):
            for k in range(starts[parent], starts[parent] + lengths[parent]):
                other = _alive(merged, np.int64(arena[k]))
                if other != new and stamps[other] != new:
                    stamps[other] = new
                    arena[used] = other
                    used += 1
                    heappush(heap, (-_similarity(regions, other, new, weights, area), other, new))
        lengths[new] = used - starts[new]
        new += 1
    return regions.boxes[:new], merges[: new - count]
