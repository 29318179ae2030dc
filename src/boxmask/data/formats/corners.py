"""Boxes that are written by their corners."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from boxmask.data.findings import Box
from boxmask.data.outlines import Polygons, RotatedBox

_TOLERANCE = 0.01
"""Corners may lie this many pixels beside those of an exact box, because tools round them."""


def box_of_points(coordinates: Sequence[float]) -> Box:
    """x1, y1, x2, y2 of the smallest box around the points x, y, x, y, ...; NaN where a coordinate is NaN."""
    (x1, x2), (y1, y2) = _range(coordinates[::2]), _range(coordinates[1::2])
    return x1, y1, x2, y2


def _range(values: Sequence[float]) -> tuple[float, float]:
    if any(map(math.isnan, values)):  # min and max depend on its place
        return math.nan, math.nan
    return min(values), max(values)


def is_upright(coordinates: Sequence[float]) -> bool:
    """Whether four points, x, y, x, y, ..., are the corners of a box that is not rotated."""
    x1, y1, x2, y2 = box_of_points(coordinates)
    points = set(zip(coordinates[::2], coordinates[1::2], strict=True))
    return points == {(x1, y1), (x2, y1), (x2, y2), (x1, y2)}


def rotated_box(coordinates: Sequence[float]) -> RotatedBox | Polygons:
    """The rotated box with four corners, x, y, x, y, ..., in their order around it.

    The first side is its upper one, before the rotation. Four points that are not the corners of a box are a
    polygon.
    """
    points = np.array(coordinates, dtype=np.float64).reshape(4, 2)
    with np.errstate(invalid="ignore", over="ignore"):
        across, down = points[1] - points[0], points[3] - points[0]
        width, height = np.hypot(*across), np.hypot(*down)
        is_closed = np.abs(points[0] + across + down - points[2]).max() <= _TOLERANCE
        is_right_angle = abs(across @ down) <= _TOLERANCE * max(width, height)
    if not (is_closed and is_right_angle):
        return Polygons((points,))
    center = (points[0] + points[2]) / 2
    rotation = float(np.degrees(np.arctan2(across[1], across[0])))
    return RotatedBox((float(center[0]), float(center[1])), (float(width), float(height)), rotation)
