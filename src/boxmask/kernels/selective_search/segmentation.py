"""The loops of graph segmentation: Felzenszwalb and Huttenlocher, IJCV 2004.

Pixels are nodes, connected to their eight neighbors by edges. The weight of an edge is the distance between
the two colors. Edges are visited by ascending weight. Two regions are merged if the edge between them is no
heavier than the heaviest edge inside either of them plus scale / size (section 3, equations 1 to 4;
section 4, algorithm 1).

Weights are rounded down to steps of 1/512 gray level. One counting pass then sorts them, and an edge takes
four bytes: its pixel and its direction. Its weight follows from its position. (Steps of 1/128 are no faster
and give other large regions; with 1/8192 the counters no longer fit in the processor's cache.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled

Floats = NDArray[np.float32]
Weights = NDArray[np.uint32]  # in steps of STEP
Edges = NDArray[np.uint32]  # 4 pixel + direction
Pixels = NDArray[np.uint32]
Ints = NDArray[np.int32]

STEP = 1 / 512  # of weights, in gray levels
_STEPS = 1 << 18  # the largest distance between colors in 0..255 is below 442
_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (-1, 1))  # down, across
_BATCH = 128  # edges filtered at a time; its value does not change the result


@compiled
def count_edges(height: int, width: int) -> int:
    """Return the number of edges of an eight-connected grid."""
    return height * (width - 1) + (height - 1) * width + 2 * (height - 1) * (width - 1)


@compiled
def weigh_edges(planes: Floats) -> Weights:
    """Return the weights of all edges: planes (C, H, W) -> (E,), in steps.

    They are Euclidean distances between colors. Edges are ordered by row, and then by direction: to the
    right, down, down right and up right.
    """
    channels, height, width = planes.shape
    weights, squares = np.empty(count_edges(height, width), np.uint32), np.empty(width, np.float32)
    most, e = np.float32(_STEPS - 1), 0
    for y in range(height):
        for dy, dx in _DIRECTIONS:
            if not 0 <= y + dy < height:
                continue
            sums, row = squares[: width - dx], weights[e : e + width - dx]
            sums[:] = 0
            for c in range(channels):
                here, there = planes[c, y], planes[c, y + dy, dx:]
                for x in range(len(sums)):
                    difference = here[x] - there[x]
                    sums[x] += difference * difference
            for x in range(len(sums)):
                row[x] = np.int32(min(np.sqrt(sums[x]) * np.float32(1 / STEP), most))
            e += len(row)
    return weights


@compiled
def sort_edges(weights: Weights, height: int, width: int) -> Any:
    """Sort the edges of `weigh_edges` by ascending weight, ties in the given order.

    (E,) -> (E,) edges; (steps + 1,) the position at which each weight begins
    """
    starts, edges = np.zeros(_STEPS + 1, np.uint32), np.empty(len(weights), np.uint32)
    for weight in weights:
        starts[weight + np.uint32(1)] += np.uint32(1)
    for step in range(_STEPS):
        starts[step + 1] += starts[step]
    positions, e = starts.copy(), 0
    for y in range(height):
        for direction, (dy, dx) in enumerate(_DIRECTIONS):
            if not 0 <= y + dy < height:
                continue
            first = 4 * y * width + direction
            for x in range(width - dx):
                weight = weights[e + x]
                edges[positions[weight]] = np.uint32(first + 4 * x)
                positions[weight] += np.uint32(1)
            e += width - dx
    return edges, starts


@compiled
def _root(parents: Pixels, node: Any) -> Any:
    """Return the root of a pixel's tree, and shorten the path to it."""
    parent = parents[node]
    while parent != node:
        parents[node] = parents[parent]
        node = parents[node]
        parent = parents[node]
    return node


@compiled
def _ends(edge: Any, steps: Pixels) -> Any:
    """Return the two pixels of an edge."""
    start = edge >> np.uint32(2)
    return start, np.uint32(start + steps[edge & np.uint32(3)])


@compiled
def _filter_edges(edges: Edges, parents: Pixels, steps: Pixels, found: Pixels) -> int:
    """Write the edges that may connect two trees, and a pixel of each tree, to `found`; return their number.

    Most edges do not, and three steps up from both ends show it. Without a branch, which a processor could
    not predict, this takes half the time of finding the roots.
    """
    n = 0
    for k in range(len(edges)):
        p, q = _ends(edges[k], steps)
        a, b = parents[parents[parents[p]]], parents[parents[parents[q]]]
        found[0, n], found[1, n], found[2, n] = k, a, b
        n += a != b
    return n


@compiled
def merge_regions(edges: Edges, starts: Pixels, shape: Any, scale: float, smallest: int) -> Ints:
    """Return the label of each pixel, (H, W), counted from 0 in reading order.

    scale:    larger values give larger regions
    smallest: pixels; smaller regions are finally merged with the neighbor across their lightest edge
    """
    pixels = shape[0] * shape[1]
    steps = np.array([1, shape[1], shape[1] + 1, 1 - shape[1]]).astype(np.uint32)
    parents, sizes = np.arange(pixels).astype(np.uint32), np.ones(pixels, np.int32)
    bounds = np.full(pixels, np.float32(scale))  # of a root: heaviest edge inside + scale / size
    rejected, n = np.empty(len(edges), np.uint32), 0
    found, step = np.empty((3, _BATCH), np.uint32), 0
    for first in range(0, len(edges), _BATCH):
        batch = edges[first : first + _BATCH]
        for i in range(_filter_edges(batch, parents, steps, found)):
            k, a, b = found[0, i], _root(parents, found[1, i]), _root(parents, found[2, i])
            if a != b:
                while starts[step + 1] <= first + k:
                    step += 1
                weight = np.float32(step * STEP)
                if weight < min(bounds[a], bounds[b]):
                    a = _merge(parents, sizes, a, b)
                    bounds[a] = weight + np.float32(scale) / np.float32(sizes[a])
                else:
                    rejected[n], n = batch[k], n + 1
    _merge_small(rejected[:n], steps, parents, sizes, smallest)  # all other edges are inside a region
    return _number_regions(parents).reshape(shape)


@compiled
def _merge(parents: Pixels, sizes: Ints, a: Any, b: Any) -> Any:
    """Make the larger of two roots the parent of the other, and return it."""
    if sizes[a] < sizes[b]:
        a, b = b, a
    parents[b] = a
    sizes[a] += sizes[b]
    return a


@compiled
def _merge_small(edges: Edges, steps: Pixels, parents: Pixels, sizes: Ints, smallest: int) -> None:
    for edge in edges:
        p, q = _ends(edge, steps)
        a, b = _root(parents, p), _root(parents, q)
        if a != b and (sizes[a] < smallest or sizes[b] < smallest):
            _merge(parents, sizes, a, b)


@compiled
def _number_regions(parents: Pixels) -> Ints:
    """Number the regions from 0 in reading order; return the number of each pixel's region."""
    labels, numbers, count = np.empty(len(parents), np.int32), np.full(len(parents), -1, np.int32), 0
    for pixel in range(len(parents)):
        root = _root(parents, np.uint32(pixel))
        if numbers[root] < 0:
            numbers[root] = count
            count += 1
        labels[pixel] = numbers[root]
    return labels
