"""The loop of Selective Search: neighboring regions grouped by similarity.

Uijlings et al., "Selective Search for Object Recognition", IJCV 2013 (doi:10.1007/s11263-013-0620-5),
section 3.1 (hierarchical grouping, algorithm 1) and 3.2 (similarities, equations 2 to 6).
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled
from boxmask.kernels.selective_search.regions import Regions

Region = Any  # the number of one
Ints = NDArray[np.int32]


class SimilarityWeights(NamedTuple):
    """How much each similarity counts: 1 or 0."""

    color: float
    texture: float
    size: float
    fill: float


@compiled
def histogram_similarities(regions: Regions, pairs: Ints) -> Any:
    """Similarities of color and texture of every pair, (P, 2): all strategies of a segmentation use them."""
    parts = np.empty((len(pairs), 2))
    for k in range(len(pairs)):
        a, b = np.int64(pairs[k, 0]), np.int64(pairs[k, 1])
        parts[k, 0] = _shared(regions.colors, regions.sizes, a, b)
        parts[k, 1] = _shared(regions.textures, regions.sizes, a, b)
    return parts


@compiled
def _shared(counts: Ints, sizes: Ints, a: Region, b: Region) -> float:
    """Histogram intersection, equations 2 and 4, of histograms of sum 1.

    Sums of whole numbers: they are exact, so their order does not matter and vector instructions apply.
    """
    one, two = counts[a], counts[b]
    size_a, size_b, total, pixels = np.int64(sizes[a]), np.int64(sizes[b]), np.int64(0), np.int64(0)
    for k in range(len(one)):
        total += min(one[k] * size_b, two[k] * size_a)
        pixels += one[k]
    return total / (np.float64(pixels) * np.float64(size_b))


@compiled
def _similarity(regions: Regions, a: Region, b: Region, weights: SimilarityWeights, area: float) -> float:
    """The sum of equation 6, its histograms compared anew."""
    color = _shared(regions.colors, regions.sizes, a, b) if weights.color > 0 else 0.0
    texture = _shared(regions.textures, regions.sizes, a, b) if weights.texture > 0 else 0.0
    return _summed(regions, a, b, color, texture, weights, area)


@compiled
def _summed(
    regions: Regions,
    a: Region,
    b: Region,
    color: float,
    texture: float,
    weights: SimilarityWeights,
    area: float,
) -> float:
    """Equation 6 with size and fill, equations 3 and 5."""
    one, two = regions.boxes[a], regions.boxes[b]
    pixels = float(regions.sizes[a]) + float(regions.sizes[b])
    width = max(one[2], two[2]) - min(one[0], two[0])
    height = max(one[3], two[3]) - min(one[1], two[1])
    filled = 1 - (float(width) * float(height) - pixels) / area
    return (
        weights.color * color
        + weights.texture * texture
        + weights.size * (1 - pixels / area)
        + weights.fill * filled
    )


@compiled
def _grown(array: Any, rows: int) -> Any:
    larger = np.empty((rows,) + array.shape[1:], array.dtype)  # noqa: RUF005 (numba)
    larger[: len(array)] = array
    return larger


@compiled
def _neighbor_lists(pairs: Ints, count: int, most: int) -> Any:
    """The neighbors of region r: arena[starts[r] : starts[r] + lengths[r]]; room for `most` regions."""
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


@compiled
def _merge(regions: Regions, a: Region, b: Region, new: Region) -> None:
    """Fill in region `new` = a + b.

    Counts are added, which is the average by size (section 3.2) of histograms of sum 1.
    """
    sizes, boxes = regions.sizes, regions.boxes
    sizes[new] = sizes[a] + sizes[b]
    for k in range(2):
        boxes[new, k] = min(boxes[a, k], boxes[b, k])
        boxes[new, k + 2] = max(boxes[a, k + 2], boxes[b, k + 2])
    for counts in (regions.colors, regions.textures):
        if a < len(counts):
            one, two, to = counts[a], counts[b], counts[new]
            for k in range(len(to)):
                to[k] = one[k] + two[k]


@compiled
def _with_room(first: Regions, weights: SimilarityWeights) -> Regions:
    """Copies with room for all merges; no histograms where none is asked for."""
    most = 2 * len(first.sizes) - 1
    none = np.empty((0, 1), np.int32)
    return Regions(
        _grown(first.sizes, most),
        _grown(first.boxes, most),
        _grown(first.colors, most) if weights.color > 0 else none,
        _grown(first.textures, most) if weights.texture > 0 else none,
    )


@compiled
def group_regions(first: Regions, pairs: Ints, parts: Any, weights: SimilarityWeights, area: float) -> Any:
    """Algorithm 1: the two most similar neighbors become one, until one is left or none touch.

    parts: (P, 2) from `histogram_similarities`
    Returns the boxes of all regions, (R + M, 4): the R first ones, then one per merge, in order; and the
    merges, (M, 2): the two regions that became region R + m.
    """
    count, regions = len(first.sizes), _with_room(first, weights)
    most = 2 * count - 1
    merges, merged = np.empty((count - 1, 2), np.int32), np.full(most, -1, np.int32)
    starts, lengths, arena = _neighbor_lists(pairs, count, most)
    used, stamps = len(pairs) * 2, np.full(most, -1, np.int32)
    heap = _first_heap(regions, pairs, parts, weights, area)
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
        starts[new], lengths[new] = used, _gather((a, b), new, merged, stamps, starts, lengths, arena, used)
        used += lengths[new]
        for k in range(starts[new], used):
            other = np.int64(arena[k])
            heappush(heap, (-_similarity(regions, other, new, weights, area), other, new))
        new += 1
    return regions.boxes[:new], merges[: new - count]


@compiled
def _gather(
    pair: Any,
    new: Region,
    merged: Ints,
    stamps: Ints,
    starts: Any,
    lengths: Any,
    arena: Ints,
    used: int,
) -> int:
    """Puts the neighbors of region `new`, made of a pair, into the arena from `used` on; gives how many."""
    n = 0
    for parent in pair:
        for k in range(starts[parent], starts[parent] + lengths[parent]):
            other = _alive(merged, np.int64(arena[k]))
            if other != new and stamps[other] != new:
                stamps[other] = new
                arena[used + n] = other
                n += 1
    return n


@compiled
def _first_heap(regions: Regions, pairs: Ints, parts: Any, weights: SimilarityWeights, area: float) -> Any:
    heap = [(-1.0, np.int64(0), np.int64(0)) for _ in range(0)]
    for k in range(len(pairs)):
        a, b = np.int64(pairs[k, 0]), np.int64(pairs[k, 1])
        heap.append((-_summed(regions, a, b, parts[k, 0], parts[k, 1], weights, area), a, b))
    heapify(heap)
    return heap
