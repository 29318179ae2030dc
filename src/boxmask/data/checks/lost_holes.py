"""Parts of an outline that lie inside another part: holes whose tool did not mark them as holes."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from jaxtyping import Bool, Int

from boxmask.data.checks.object_findings import object_finding
from boxmask.data.checks.polygon_arrays import PolygonArrays, ring_areas
from boxmask.data.checks.polygon_geometry import covered
from boxmask.data.findings import Findings, Kind
from boxmask.data.formats.labels import Labels
from boxmask.messages import format_count

MIN_AREA = 4.0
"""Smaller parts, in pixels, are slips of the hand. As holes, they would change nothing."""

MAX_SHARE = 0.95
"""A part that fills more than this share of the other one is a copy of it."""

MAX_PARTS = 100
"""Objects with more parts, such as foliage, are not checked: comparing all would take quadratic time."""

MAX_POINTS = 10_000
"""Parts with more points are not checked, either."""

HOLE_LOST = Kind(
    "hole-lost",
    "warning",
    "Outlines that may have lost a hole",
    "One part of these outlines lies inside another. If it is a hole, write the object as a mask (run "
    "lengths), or in a format that has holes: as it is, the hole is filled. Otherwise, remove the "
    "inner part.",
)


def check_lost_holes(labels: Labels, polygons: PolygonArrays, findings: Findings) -> None:
    """Find objects with a polygon that lies completely inside another one of the same object.

    Islands in holes are not found: such a part inside another one is right.
    """
    pairs = _nested_pairs(polygons)
    if not len(pairs):
        return
    pairs = pairs[covered(polygons, pairs)]
    in_hole = _parts_in_holes(polygons, pairs[:, 1])
    areas = ring_areas(polygons)
    seen: set[int] = set()
    for inner in pairs[:, 1].tolist():
        row = int(polygons.rows[inner])
        if row not in seen and inner not in in_hole:
            seen.add(row)
            area = format_count(round(float(areas[inner])), "pixel")
            reason = f"has an outline with a part of {area} inside another part"
            findings.add(object_finding(labels, HOLE_LOST, row, reason))


def _parts_in_holes(polygons: PolygonArrays, parts: Int[np.ndarray, " Q"]) -> set[int]:
    """Of some parts, those that lie in a hole of their object."""
    holes = np.flatnonzero(polygons.is_hole & _can_nest(polygons))
    starts = np.searchsorted(polygons.rows[holes], polygons.rows[parts], side="left")
    ends = np.searchsorted(polygons.rows[holes], polygons.rows[parts], side="right")
    pairs = [
        (hole, part)
        for part, start, end in zip(parts.tolist(), starts.tolist(), ends.tolist(), strict=True)
        for hole in holes[start:end].tolist()
    ]
    found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return set(found[covered(polygons, found), 1].tolist())


def _can_nest(polygons: PolygonArrays) -> Bool[np.ndarray, " R"]:
    """Whether each ring is finite, and neither too short nor too long to be compared."""
    lengths = np.diff(polygons.offsets)
    is_finite = np.isfinite(polygons.bounds()).all(axis=1)
    return np.asarray((lengths >= 3) & (lengths <= MAX_POINTS) & is_finite)


def _nested_pairs(polygons: PolygonArrays) -> Int[np.ndarray, "Q 2"]:
    """Pairs of parts of one object, of which the second may lie inside the first, by bounds and area."""
    parts = np.flatnonzero(~polygons.is_hole & _can_nest(polygons))
    _, starts, counts = np.unique(polygons.rows[parts], return_index=True, return_counts=True)
    several = (counts > 1) & (counts <= MAX_PARTS)
    pairs = [
        pair
        for start, count in zip(starts[several].tolist(), counts[several].tolist(), strict=True)
        for pair in permutations(parts[start : start + count].tolist(), 2)
    ]
    found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    bounds = polygons.bounds()
    outer, inner = bounds[found[:, 0]], bounds[found[:, 1]]
    is_inside = ((outer[:, :2] <= inner[:, :2]) & (outer[:, 2:] >= inner[:, 2:])).all(axis=1)
    areas = ring_areas(polygons)[found]
    has_size = (areas[:, 1] >= MIN_AREA) & (areas[:, 1] <= MAX_SHARE * areas[:, 0])
    return found[is_inside & has_size]
