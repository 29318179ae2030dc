"""Masks as polygons, and polygons as a single ring, for formats that hold nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import scipy
from jaxtyping import Bool, Int

from boxmask.data.outlines import Outline, Points, Polygons, RunLengths, fill
from boxmask.geometry import rle
from boxmask.masks import Size

_MAX_DISTANCES = 1_000_000
"""Of more pairs of points, not all distances are computed."""


def trace(mask: RunLengths) -> Polygons:
    """The edges of a mask's pixels: polygons that cover exactly these pixels, and their holes.

    Pixels that touch at a corner only are separate parts. A mask without pixels has no parts.
    Raises ValueError if the run lengths do not cover the mask's size.
    """
    masks = rle.decode([mask.counts.astype(np.int64)], mask.size)
    crop = masks.crops()[0]
    if not crop.any():
        return Polygons(())
    corner = masks.windows[0, :2]
    parts, holes = list[Points](), list[Points]()
    for ring, is_hole in _rings(np.pad(crop, 1)):
        (holes if is_hole else parts).append(ring + corner)
    return Polygons(tuple(parts), tuple(holes))


def _rings(pixels: Bool[np.ndarray, "h w"]) -> Iterator[tuple[Points, bool]]:
    """The closed lines around pixels with a border of False, and whether each is the edge of a hole.

    Corners in one row of the grid are joined in pairs, and so are those in one column. Where two pixels touch
    at a corner only, two rings pass, and each stays at its pixel.
    """
    northwest, northeast = pixels[:-1, :-1], pixels[:-1, 1:]
    southwest, southeast = pixels[1:, :-1], pixels[1:, 1:]
    falling = northwest & southeast & ~northeast & ~southwest
    rising = northeast & southwest & ~northwest & ~southeast
    is_corner = northwest ^ northeast ^ southwest ^ southeast
    times = is_corner + 2 * (falling | rising)
    ys, xs = np.nonzero(times)
    repeats = times[ys, xs]
    ys, xs = np.repeat(ys, repeats), np.repeat(xs, repeats)
    order = np.arange(len(xs))
    by_column = np.lexsort((np.where(rising[ys, xs], -order, order), ys, xs))
    in_column = np.empty(len(xs), dtype=np.int64)
    in_column[by_column[::2]], in_column[by_column[1::2]] = by_column[1::2], by_column[::2]
    points = np.stack([xs, ys], axis=1).astype(np.float64)
    for ring in _walk(in_column):
        yield points[ring], not southeast[ys[ring[0]], xs[ring[0]]]  # the first is the upper left corner


def _walk(in_column: Int[np.ndarray, " N"]) -> Iterator[list[int]]:
    """Follow corners to their partners in the row, number ^ 1, and in the column, in turn."""
    partners = in_column.tolist()
    is_visited = [False] * len(partners)
    for start in range(len(partners)):
        if is_visited[start]:
            continue
        ring, corner = [], start
        while not is_visited[corner]:
            in_row = corner ^ 1
            is_visited[corner] = is_visited[in_row] = True
            ring += [corner, in_row]
            corner = partners[in_row]
        yield ring


def single_ring(outline: Outline, size: Size) -> Points:
    """One ring of points that covers the same pixels as an outline, (M, 2); M is 0 if it covers none.

    size: (height, width) of the photo

    Parts and holes are joined by lines that are followed there and back. This covers no area, and by the
    even-odd rule, by which polygons are filled, holes stay open. Parts that overlap would leave a hole where
    they do, so that the edges of their pixels are joined instead.
    """
    polygons = trace(outline) if isinstance(outline, RunLengths) else outline.polygons()
    ring = join_rings([*polygons.parts, *polygons.holes])
    is_simple = len(polygons.parts) == 1 and not polygons.holes
    if is_simple or isinstance(outline, RunLengths) or _is_same(ring, outline, size):
        return ring
    traced = trace(RunLengths(fill(outline, size, size), size))
    return join_rings([*traced.parts, *traced.holes])


def _is_same(ring: Points, outline: Outline, size: Size) -> bool:
    return np.array_equal(fill(Polygons((ring,)), size, size), fill(outline, size, size))


def join_rings(rings: Sequence[Points]) -> Points:
    """Join rings into one, each at the points nearest to those before it, (M, 2)."""
    if not rings:
        return np.zeros((0, 2))
    joined, *others = rings
    for ring in others:
        at, start = _nearest_points(joined, ring)
        joined = np.concatenate([joined[: at + 1], ring[start:], ring[: start + 1], joined[at:]])
    return joined


def _nearest_points(points: Points, others: Points) -> tuple[int, int]:
    """The indices of the two points, (N, 2) and (M, 2), that are nearest to each other."""
    if len(points) * len(others) > _MAX_DISTANCES:
        distances, indices = scipy.spatial.cKDTree(points).query(others)
        nearest = int(distances.argmin())
        return int(indices[nearest]), nearest
    across = points[:, None, 0] - others[None, :, 0]
    down = points[:, None, 1] - others[None, :, 1]
    at, start = divmod(int((across * across + down * down).argmin()), len(others))
    return at, start
