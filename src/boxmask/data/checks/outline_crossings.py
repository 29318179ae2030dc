"""Polygons whose edges cross each other."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from boxmask.data.checks.object_findings import object_finding
from boxmask.data.checks.polygon_arrays import PolygonArrays
from boxmask.data.checks.polygon_geometry import invalid_rings
from boxmask.data.findings import Findings, Kind
from boxmask.data.formats.labels import Labels

MIN_LOOP_AREA = 1.0
"""A crossing matters if it cuts off a loop of at least this area, in pixels."""

MAX_POINTS = 2_000
"""Polygons with more points are traced from masks, so that they do not cross. Comparing all edges would take
quadratic time."""

OUTLINE_SELF_CROSSING = Kind(
    "outline-self-crossing",
    "warning",
    "Outlines that cross themselves",
    "Draw these outlines again, or correct the order of their points. Programs fill them in different ways.",
)


def check_crossings(labels: Labels, polygons: PolygonArrays, findings: Findings) -> None:
    """Find polygons with two edges that cross, so that it is unclear what lies inside.

    Polygons that touch themselves, in a point or along the edge that connects a hole, do not cross.
    """
    rings = np.flatnonzero(_can_cross(polygons))
    lengths = np.diff(polygons.offsets)[rings]
    is_point = np.repeat(_can_cross(polygons), np.diff(polygons.offsets))
    invalid = rings[invalid_rings(polygons.points[is_point], lengths)]
    seen: set[int] = set()
    for number in invalid.tolist():
        row = int(polygons.rows[number])
        crossing = _crossing(polygons.ring(number)) if row not in seen else None
        if crossing is not None:
            seen.add(row)
            x, y = crossing
            reason = f"has an outline that crosses itself at x {x:.1f}, y {y:.1f}"
            findings.add(object_finding(labels, OUTLINE_SELF_CROSSING, row, reason))


def _can_cross(polygons: PolygonArrays) -> Bool[np.ndarray, " R"]:
    """Whether each ring is finite and has at least 4 points, but no more than `MAX_POINTS`."""
    finite = np.logical_and.reduceat(np.isfinite(polygons.points).all(axis=1), polygons.offsets[:-1])
    lengths = np.diff(polygons.offsets)
    return np.asarray(finite & (lengths >= 4) & (lengths <= MAX_POINTS))


def _crossing(ring: Float[np.ndarray, "m 2"]) -> tuple[float, float] | None:
    """Where two edges cross, inside both of them, and cut off a loop that matters; None if nowhere."""
    count = len(ring)
    vectors = np.roll(ring, -1, axis=0) - ring
    sides = _cross(vectors[:, None], ring[None] - ring[:, None])  # of point j as seen from edge i
    separates = sides * np.roll(sides, -1, axis=1) < 0  # edge i separates the two ends of edge j
    first, second = np.nonzero(np.triu(separates & separates.T))
    begin, end = sides[second, first], sides[second, (first + 1) % count]
    points = ring[first] + (begin / (begin - end))[:, None] * vectors[first]
    matters = _loop_areas(ring, points, first, second) >= MIN_LOOP_AREA
    if not matters.any():
        return None
    x, y = points[np.argmax(matters)].tolist()
    return x, y


def _loop_areas(
    ring: Float[np.ndarray, "m 2"],
    points: Float[np.ndarray, "C 2"],
    first: Int[np.ndarray, " C"],
    second: Int[np.ndarray, " C"],
) -> Float[np.ndarray, " C"]:
    """The area of the smaller of the two loops into which each crossing divides a ring.

    points: of the crossings of edge `first` and the later edge `second`
    """
    crosses = _cross(ring, np.roll(ring, -1, axis=0))
    sums = np.concatenate([[0], np.cumsum(crosses)])
    # From the crossing to the end of the first edge, along the ring to the second edge, and back.
    following = ring[first + 1]
    loops = _cross(points, following) + sums[second] - sums[first + 1] + _cross(ring[second], points)
    return np.asarray(np.minimum(np.abs(loops), np.abs(sums[-1] - loops)) / 2)


def _cross(vectors: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vectors[..., 0] * others[..., 1] - vectors[..., 1] * others[..., 0])
