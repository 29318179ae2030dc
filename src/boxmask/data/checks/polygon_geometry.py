"""What shapely (GEOS) knows about polygons. It is imported only if a data set has outlines."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.checks.polygon_arrays import PolygonArrays


def invalid_rings(points: Float[np.ndarray, "M 2"], lengths: Int[np.ndarray, " R"]) -> Int[np.ndarray, " I"]:
    """The numbers of the polygons that cross or touch themselves.

    points:  of all polygons, one after the other
    lengths: number of points of each, at least 3
    """
    import shapely

    if not len(lengths):
        return np.zeros(0, dtype=np.int64)
    rings = shapely.linearrings(points, indices=np.repeat(np.arange(len(lengths)), lengths))
    return np.flatnonzero(~shapely.is_valid(shapely.polygons(rings)))


def covered(polygons: PolygonArrays, pairs: Int[np.ndarray, "Q 2"]) -> Bool[np.ndarray, " Q"]:
    """Whether, in each pair of polygons, no point of the second lies outside the first.

    False for polygons that cross themselves.
    """
    import shapely

    numbers, inverse = np.unique(pairs, return_inverse=True)
    shapes = np.array([shapely.Polygon(polygons.ring(number)) for number in numbers.tolist()], dtype=object)
    outer, inner = inverse.reshape(-1, 2).T
    is_valid = shapely.is_valid(shapes)
    result = is_valid[outer] & is_valid[inner]
    result[result] = shapely.covers(shapes[outer[result]], shapes[inner[result]])
    return np.asarray(result)
