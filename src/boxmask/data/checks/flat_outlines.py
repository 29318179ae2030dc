"""Outlines whose points lie on a line. Rasterized, some of them still cover a few pixels along it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.object_findings import object_finding
from boxmask.data.checks.polygon_arrays import PolygonArrays, ring_crosses
from boxmask.data.detection.outline_masks import OUTLINE_EMPTY
from boxmask.data.findings import Findings

_MAX_WIDTH = 0.01
"""Rings that are at most this many pixels wide are lines, written with rounded numbers."""


def check_flat_outlines(examination: Examination, polygons: PolygonArrays, findings: Findings) -> None:
    """Find outlines without area. Those without pixels are left out: `outline-empty` reports them."""
    labels = examination.labels
    rows, starts = np.unique(polygons.rows, return_index=True)
    is_flat = np.logical_and.reduceat(_are_flat(polygons), starts)
    found = rows[is_flat & examination.masks.known[rows]]
    findings.add_all(
        OUTLINE_EMPTY,
        found.tolist(),
        lambda row: object_finding(labels, OUTLINE_EMPTY, row, "has an outline whose points lie on a line"),
    )


def _are_flat(polygons: PolygonArrays) -> Bool[np.ndarray, " R"]:
    """Whether each ring has no width: no triangle of its first point and one of its sides has an area."""
    largest = np.maximum.reduceat(np.abs(ring_crosses(polygons)), polygons.offsets[:-1])
    bounds = polygons.bounds()
    lengths = np.hypot(*(bounds[:, 2:] - bounds[:, :2]).T)
    return np.asarray(largest <= _MAX_WIDTH * lengths)
