"""Outlines that reach beyond their photo."""

from __future__ import annotations

import numpy as np

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.object_findings import object_finding
from boxmask.data.checks.polygon_arrays import PolygonArrays
from boxmask.data.checks.sound_boxes import has_wrong_coordinates, photo_edges
from boxmask.data.detection.box_checks import OVERHANG
from boxmask.data.findings import Finding, Findings, Kind

OUTLINE_OUTSIDE = Kind(
    "outline-outside",
    "warning",
    "Outlines that reach beyond their photo",
    "Move these points to the edge of the photo. If many outlines reach far beyond it, check that the labels "
    "belong to these photos.",
)


def check_outlines_outside(examination: Examination, polygons: PolygonArrays, findings: Findings) -> None:
    """Find outlines that reach beyond their photo by more than OVERHANG."""
    if has_wrong_coordinates(findings):
        return
    labels, bounds = examination.labels, polygons.bounds()
    rows, starts = np.unique(polygons.rows, return_index=True)
    low = np.minimum.reduceat(bounds[:, :2], starts, axis=0)
    high = np.maximum.reduceat(bounds[:, 2:], starts, axis=0)
    edges = photo_edges(examination)[rows]
    beyond = np.concatenate([-low, high - edges], axis=1)
    is_outside = (beyond > OVERHANG).any(axis=1)
    is_apart = ((low >= edges) | (high <= 0)).any(axis=1)

    def describe(index: int) -> Finding:
        row = int(rows[index])
        if is_apart[index]:
            return object_finding(labels, OUTLINE_OUTSIDE, row, "has an outline outside its photo")
        distance = f"{beyond[index].max():.4g} pixels"
        return object_finding(labels, OUTLINE_OUTSIDE, row, f"has an outline {distance} beyond the photo")

    findings.add_all(OUTLINE_OUTSIDE, np.flatnonzero(is_outside).tolist(), describe)
