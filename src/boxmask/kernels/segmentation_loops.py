"""The loops of graph segmentation: Felzenszwalb and Huttenlocher, IJCV 2004.

Pixels are nodes, and each is joined to its eight neighbours by an edge that weighs the distance of their
colours. Edges are taken from the lightest; two regions become one if the edge between them is no heavier
than the heaviest inside either, plus scale / size (section 3, equations 1 to 4; section 4, algorithm 1).
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]

_DIGIT = 16  # bits that one pass of the sort looks at


@compiled
def count_edges(height: int, width: int) -> int:
    """Edges of an eight-connected grid."""
    return height * (width - 1) + (height - 1) * width + 2 * (height - 1) * (width - 1)


@compiled
def weigh_edges(image: Floats, weights: Doubles, ends: Ints) -> None:
    """Fill in every edge: to the right, down, down right and up right, each over the whole image.

    image: (H, W, C); weights: (E,) Euclidean distances of colours; ends: (E, 2) numbers of the pixels
    """
    height, width, _ = image.shape
    e = 0
    for dy, dx in ((0, 1), (1, 0), (1, 1), (-1, 1)):
        for y in range(max(0, -dy), height - max(0, dy)):
            for x in range(width - dx):
                weights[e] = _distance(image, y, x, y + dy, x + dx)
                ends[e, 0] = y * width + x
                ends[e, 1] = (y + dy) * width + x + dx
                e += 1


@compiled
def _distance(image: Floats, y: int, x: int, v: int, u: int) -> float:
    total = 0.0
    for c in range(image.shape[2]):
        step = np.float64(image[y, x, c]) - np.float64(image[v, u, c])
        total += step * step
    return sqrt(total)


@compiled
def sort_edges(weights: Doubles) -> Ints:
    """The order of the edges by weight, equal ones as they stand: a radix sort, in linear time.

    Two passes over the upper bits of float32, whose order is that of their bits as they are not negative;
    what float32 cannot tell apart is then put in order by itself.
    """
    count = len(weights)
    keys = weights.astype(np.float32).view(np.uint32)
    order, other = np.arange(count).astype(np.int32), np.empty(count, np.int32)
    for shift in (0, _DIGIT):
        _pass(keys, np.uint32(shift), order, other)
        order, other = other, order
    for k in range(1, count):
        edge, at = order[k], np.int64(k)
        while at > 0 and weights[order[at - 1]] > weights[edge]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = edge
    return order


@compiled
def _pass(keys: Any, shift: Any, order: Ints, into: Ints) -> None:
    mask = np.uint32((1 << _DIGIT) - 1)
    places = np.zeros((1 << _DIGIT) + 1, np.int64)
    for k in range(len(keys)):
        places[np.int64((keys[k] >> shift) & mask) + 1] += 1
    for k in range(1, len(places)):
        places[k] += places[k - 1]
    for edge in order:
        digit = np.int64((keys[edge] >> shift) & mask)
        into[places[digit]] = edge
        places[digit] += 1


@compiled
def _root(parents: Ints, node: int) -> int:
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@compiled
def join_regions(weights: Doubles, ends: Ints, order: Ints, pixels: int, scale: float, smallest: int) -> Ints:
    """The label of each pixel, (pixels,), counted from 0 in reading order; then small regions are joined.

    scale:    the larger, the larger the regions
    smallest: pixels; a region below it joins the neighbour across its lightest edge
    """
    parents = np.arange(pixels).astype(np.int32)
    sizes, inner = np.ones(pixels, np.int64), np.zeros(pixels)
    for edge in order:
        a, b = _root(parents, ends[edge, 0]), _root(parents, ends[edge, 1])
        if a != b and weights[edge] < min(inner[a] + scale / sizes[a], inner[b] + scale / sizes[b]):
            inner[_join(parents, sizes, a, b)] = weights[edge]
    for edge in order:
        a, b = _root(parents, ends[edge, 0]), _root(parents, ends[edge, 1])
        if a != b and (sizes[a] < smallest or sizes[b] < smallest):
            _join(parents, sizes, a, b)
    return _numbered(parents)


@compiled
def _join(parents: Ints, sizes: Any, a: int, b: int) -> int:
    """Hang the smaller under the larger; gives the root."""
    if sizes[a] < sizes[b]:
        a, b = b, a
    parents[b] = a
    sizes[a] += sizes[b]
    return a


@compiled
def _numbered(parents: Ints) -> Ints:
    labels, numbers, count = np.empty_like(parents), np.full(len(parents), -1, np.int32), 0
    for pixel in range(len(parents)):
        root = _root(parents, pixel)
        if numbers[root] < 0:
            numbers[root] = count
            count += 1
        labels[pixel] = numbers[root]
    return labels
