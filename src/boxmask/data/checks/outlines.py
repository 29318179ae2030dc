"""Outlines that cross themselves, reach beyond their photo, or lost a hole."""

from __future__ import annotations

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.flat_outlines import check_flat_outlines
from boxmask.data.checks.lost_holes import check_lost_holes
from boxmask.data.checks.outline_crossings import check_crossings
from boxmask.data.checks.outline_places import check_outlines_outside
from boxmask.data.checks.polygon_arrays import polygon_arrays
from boxmask.data.findings import Findings


def check_outlines(examination: Examination, findings: Findings) -> None:
    """Find polygons that cross themselves, reach beyond their photo, or have no area, and lost holes.

    All of it in one pass, because reading the outlines takes most of the time.
    """
    for polygons in polygon_arrays(examination.labels):
        check_crossings(examination.labels, polygons, findings)
        check_outlines_outside(examination, polygons, findings)
        check_lost_holes(examination.labels, polygons, findings)
        check_flat_outlines(examination, polygons, findings)
