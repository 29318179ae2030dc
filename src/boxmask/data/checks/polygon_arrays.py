"""The polygons of many objects in flat arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from boxmask.data.formats.labels import Labels
from boxmask.data.outlines import Polygons, RunLengths

BATCH = 20_000
"""Objects whose points are in memory at the same time."""


@dataclass(frozen=True, slots=True, eq=False)
class PolygonArrays:
    """R rings with M points: the parts and the holes of the outlines of some objects.

    points:  (M, 2) x, y
    offsets: (R + 1,) ring r has points[offsets[r]:offsets[r + 1]]
    rows:    (R,) of the object of each ring, ascending
    is_hole: (R,)
    """

    points: Float[np.ndarray, "M 2"]
    offsets: Int[np.ndarray, " R+1"]
    rows: Int[np.ndarray, " R"]
    is_hole: Bool[np.ndarray, " R"]

    def ring(self, number: int) -> Float[np.ndarray, "m 2"]:
        """The points of one ring."""
        return self.points[self.offsets[number] : self.offsets[number + 1]]

    def bounds(self) -> Float[np.ndarray, "R 4"]:
        """x1, y1, x2, y2 of the smallest box around each ring."""
        starts = self.offsets[:-1]
        low = np.minimum.reduceat(self.points, starts, axis=0)
        return np.concatenate([low, np.maximum.reduceat(self.points, starts, axis=0)], axis=1)


def ring_areas(polygons: PolygonArrays) -> Float[np.ndarray, " R"]:
    """The area inside each ring. Loops in the other direction count as negative."""
    return np.asarray(np.abs(np.add.reduceat(ring_crosses(polygons), polygons.offsets[:-1])) / 2)


def ring_crosses(polygons: PolygonArrays) -> Float[np.ndarray, " M"]:
    """Twice the area of the triangle of the first point of a ring and each of its sides, with its sign."""
    lengths = np.diff(polygons.offsets)
    first = np.repeat(polygons.points[polygons.offsets[:-1]], lengths, axis=0)
    x, y = (polygons.points - first).T
    following = np.arange(len(x)) + 1
    following[polygons.offsets[1:] - 1] = polygons.offsets[:-1]
    return np.asarray(x * y[following] - x[following] * y)


def polygon_arrays(labels: Labels) -> Iterator[PolygonArrays]:
    """The outlines of all objects, batch by batch, except run lengths and outlines that cannot be read."""
    for start in range(0, len(labels.photo_of) if labels.outline else 0, BATCH):
        parts: list[NDArray[np.float64]] = []
        holes: list[bool] = []
        rows: list[int] = []
        for row in range(start, min(start + BATCH, len(labels.photo_of))):
            outline = _polygons(labels, row)
            if outline is not None:
                rings = [ring for ring in chain(outline.parts, outline.holes) if len(ring)]
                parts += rings
                holes += [number >= len(outline.parts) for number in range(len(rings))]
                rows += [row] * len(rings)
        if parts:
            offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
            points = np.concatenate(parts).astype(np.float64)
            yield PolygonArrays(points, offsets, np.array(rows, dtype=np.int64), np.array(holes, dtype=bool))


def _polygons(labels: Labels, row: int) -> Polygons | None:
    assert labels.outline is not None
    try:
        outline = labels.outline(row)
    except ValueError:  # reported where outlines become masks
        return None
    return None if outline is None or isinstance(outline, RunLengths) else outline.polygons()
