"""The loop of Selective Search: merge neighboring regions by similarity.

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

Region = Any  # the index of a region
Ints = NDArray[np.int32]


class SimilarityWeights(NamedTuple):
    """The weight of each similarity: 1 or 0."""

    color: float
    texture: float
    size: float
    fill: float


@compiled
def histogram_similarities(regions: Regions, pairs: Ints) -> Any:
    """Return the color and texture similarity of every pair, (P, 2), for all strategies of a segmentation."""
    parts = np.empty((len(pairs), 2))
    for k in range(len(pairs)):
        a, b = np.int64(pairs[k, 0]), np.int64(pairs[k, 1])
        parts[k, 0] = _intersection(regions.colors, regions.sizes, a, b)
        parts[k, 1] = _intersection(regions.textures, regions.sizes, a, b)
    return parts


@compiled
def _intersection(counts: Ints, sizes: Ints, a: Region, b: Region) -> float:
    """Return the intersection of two histograms, each normalized to sum 1 (equations 2 and 4).

    Sums of integers are exact, so their order does not matter and the loop vectorizes.
    """
    counts_a, counts_b = counts[a], counts[b]
    size_a, size_b, total, pixels = np.int64(sizes[a]), np.int64(sizes[b]), np.int64(0), np.int64(0)
    for k in range(len(counts_a)):
        total += min(counts_a[k] * size_b, counts_b[k] * size_a)
        pixels += counts_a[k]
    return total / (np.float64(pixels) * np.float64(size_b))


@compiled
def _similarity(regions: Regions, a: Region, b: Region, weights: SimilarityWeights, area: float) -> float:
    """Return the similarity of two regions (equation 6), comparing their histograms."""
    color = _intersection(regions.colors, regions.sizes, a, b) if weights.color > 0 else 0.0
    texture = _intersection(regions.textures, regions.sizes, a, b) if weights.texture > 0 else 0.0
    return _weighted_sum(regions, a, b, color, texture, weights, area)


@compiled
def _weighted_sum(
    regions: Regions,
    a: Region,
    b: Region,
    color: float,
    texture: float,
    weights: SimilarityWeights,
    area: float,
) -> float:
    """Return the weighted sum of all similarities (equation 6); size and fill are equations 3 and 5."""
    box_a, box_b = regions.boxes[a], regions.boxes[b]
    pixels = float(regions.sizes[a]) + float(regions.sizes[b])
    width = max(box_a[2], box_b[2]) - min(box_a[0], box_b[0])
    height = max(box_a[3], box_b[3]) - min(box_a[1], box_b[1])
    fill = 1 - (float(width) * float(height) - pixels) / area
    return (
        weights.color * color
        + weights.texture * texture
        + weights.size * (1 - pixels / area)
        + weights.fill * fill
    )


@compiled
def _enlarge(array: Any, rows: int) -> Any:
    larger = np.empty((rows,) + array.shape[1:], array.dtype)  # noqa: RUF005 (numba)
    to, source = larger.reshape(-1), array.reshape(-1)
    for i in range(len(source)):  # assigning a slice takes much longer to compile
        to[i] = source[i]
    return larger


@compiled
def _neighbor_lists(pairs: Ints, count: int, max_regions: int) -> Any:
    """Return the neighbors of every region, with room for `max_regions`.

    The neighbors of region r are arena[starts[r] : starts[r] + lengths[r]].
    """
    starts, lengths = np.zeros(max_regions, np.int64), np.zeros(max_regions, np.int64)
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
def _current(merged: Ints, region: Region) -> Region:
    """Return the region into which a region has been merged, or the region itself."""
    while merged[region] >= 0:
        following = np.int64(merged[region])
        if merged[following] >= 0:
            merged[region] = merged[following]
        region = following
    return region


@compiled
def _merge(regions: Regions, a: Region, b: Region, new: Region) -> None:
    """Set region `new` to the union of a and b.

    Adding counts equals averaging normalized histograms by size (section 3.2).
    """
    sizes, boxes = regions.sizes, regions.boxes
    sizes[new] = sizes[a] + sizes[b]
    for k in range(2):
        boxes[new, k] = min(boxes[a, k], boxes[b, k])
        boxes[new, k + 2] = max(boxes[a, k + 2], boxes[b, k + 2])
    for counts in (regions.colors, regions.textures):
        if a < len(counts):
            counts_a, counts_b, total = counts[a], counts[b], counts[new]
            for k in range(len(total)):
                total[k] = counts_a[k] + counts_b[k]


@compiled
def _with_room(first: Regions, weights: SimilarityWeights) -> Regions:
    """Copy the regions with room for all merges; leave out histograms whose weight is 0."""
    most = 2 * len(first.sizes) - 1
    unused = np.empty((0, 1), np.int32)
    return Regions(
        _enlarge(first.sizes, most),
        _enlarge(first.boxes, most),
        _enlarge(first.colors, most) if weights.color > 0 else unused,
        _enlarge(first.textures, most) if weights.texture > 0 else unused,
    )


@compiled
def group_regions(first: Regions, pairs: Ints, parts: Any, weights: SimilarityWeights, area: float) -> Any:
    """Merge the two most similar neighbors until one region is left or no regions touch (algorithm 1).

    parts: (P, 2) from `histogram_similarities`
    Returns the boxes of all regions, (R + M, 4): the R initial ones, then one per merge, in order; and the
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
            arena = _enlarge(arena, 2 * (used + lengths[a] + lengths[b]))
        starts[new] = used
        lengths[new] = _collect_neighbors((a, b), new, merged, stamps, starts, lengths, arena)
        used += lengths[new]
        _push_pairs(heap, regions, arena[starts[new] : used], new, weights, area)
        new += 1
    return regions.boxes[:new], merges[: new - count]


@compiled
def _push_pairs(
    heap: Any, regions: Regions, neighbors: Ints, new: Region, weights: SimilarityWeights, area: float
) -> None:
    """Push the pairs of a new region and its neighbors onto the heap, most similar first."""
    for k in range(len(neighbors)):
        neighbor = np.int64(neighbors[k])
        heappush(heap, (-_similarity(regions, neighbor, new, weights, area), neighbor, new))


@compiled
def _collect_neighbors(
    pair: Any, new: Region, merged: Ints, stamps: Ints, starts: Any, lengths: Any, arena: Ints
) -> int:
    """Write the neighbors of `new`, merged from a pair, to its place in the arena; return their number."""
    n = 0
    for parent in pair:
        for k in range(starts[parent], starts[parent] + lengths[parent]):
            other = _current(merged, np.int64(arena[k]))
            if other != new and stamps[other] != new:
                stamps[other] = new
                arena[starts[new] + n] = other
                n += 1
    return n


@compiled
def _first_heap(regions: Regions, pairs: Ints, parts: Any, weights: SimilarityWeights, area: float) -> Any:
    heap = [(-1.0, np.int64(0), np.int64(0)) for _ in range(0)]
    for k in range(len(pairs)):
        a, b = np.int64(pairs[k, 0]), np.int64(pairs[k, 1])
        heap.append((-_weighted_sum(regions, a, b, parts[k, 0], parts[k, 1], weights, area), a, b))
    heapify(heap)
    return heap
