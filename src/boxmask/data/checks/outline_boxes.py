"""Masks that do not fit the boxes of their objects."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from boxmask.data.checks.box_ious import paired_ious
from boxmask.data.checks.examination import Examination
from boxmask.data.checks.object_findings import object_finding
from boxmask.data.checks.sound_boxes import photo_edges, sound_boxes
from boxmask.data.findings import Finding, Findings, Kind
from boxmask.messages import format_count

MIN_IOU = 0.6
"""Boxes drawn by hand around the same object as its mask have an IoU above this."""

MIN_DISTANCE = 3.0
"""Sides that differ by less, in pixels, are roundings, however small the object."""

MIN_OBJECTS = 10
MIN_SHARE = 0.8
"""If so many objects, and this share of all, have the same shift or factor, it is one mistake."""

MIN_SHIFT = 2.0
"""Smaller shifts, in pixels, come from counting pixels from 0 or 1."""

SAME_SHIFT = 1.5
"""Shifts that differ by less, in pixels, are the same."""

SAME_FACTOR = 0.03
"""Factors that differ by less, relatively, are the same."""

OUTLINE_MISFITS_BOX = Kind(
    "outline-misfits-box",
    "warning",
    "Outlines that do not fit their boxes",
    "Look at each of them, and correct the box or the outline: models learn from both.",
)


def check_outline_boxes(examination: Examination, findings: Findings) -> None:
    """Find objects whose mask has another bounding box than their label says.

    A shift or factor that nearly all objects share is reported once.
    """
    labels, masks = examination.labels, examination.masks
    edges = np.tile(photo_edges(examination), 2)
    usable = masks.known & sound_boxes(examination) & ~labels.crowd & np.isfinite(edges).all(axis=1)
    rows = np.flatnonzero(usable)
    boxes = np.clip(labels.boxes[rows], 0, edges[rows])
    found = masks.boxes(rows, examination.sizes[labels.photo_of[rows]])
    differs = (paired_ious(boxes, found) < MIN_IOU) & (np.abs(boxes - found).max(axis=1) >= MIN_DISTANCE)
    common = _describe_common_change(boxes, found, bool(differs.mean() > 0.5) if len(rows) else False)
    if common:
        worst = int(rows[np.argmin(paired_ious(boxes, found))])
        finding = object_finding(labels, OUTLINE_MISFITS_BOX, worst, "shows it best")
        detail = f"{common}, in {format_count(len(rows), 'object')}; {finding.detail}"
        findings.add(Finding(OUTLINE_MISFITS_BOX, finding.location, detail, finding.photo, finding.box))
        return

    def describe(index: int) -> Finding:
        x1, y1, x2, y2 = found[index].tolist()
        place = f"x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"
        overlap = float(paired_ious(boxes[[index]], found[[index]])[0])
        reason = f"has an outline at {place}, whose IoU with its box is {overlap:.2f}"
        return object_finding(labels, OUTLINE_MISFITS_BOX, int(rows[index]), reason)

    findings.add_all(OUTLINE_MISFITS_BOX, np.flatnonzero(differs).tolist(), describe)


def _describe_common_change(
    boxes: Float[np.ndarray, "M 4"], found: Float[np.ndarray, "M 4"], is_mostly_wrong: bool
) -> str:
    """The shift or factor from boxes to the boxes of masks that nearly all share; "" if there is none."""
    if len(boxes) < MIN_OBJECTS:
        return ""
    shifts = found - boxes
    shift = np.median(shifts, axis=0).reshape(2, 2)  # of x1, y1 and of x2, y2
    is_shared = (np.abs(shifts - shift.ravel()) <= SAME_SHIFT).all(axis=1).mean() >= MIN_SHARE
    is_same = (np.abs(shift[0] - shift[1]) <= SAME_SHIFT).all()
    x, y = shift.mean(axis=0).tolist()
    if is_shared and is_same and max(abs(x), abs(y)) >= MIN_SHIFT:
        return f"outlines lie {x:+.3g} pixels in x and {y:+.3g} in y from their boxes"
    factors = found[:, 2:] / boxes[:, 2:]
    factor = np.median(factors, axis=0)
    is_shared = (np.abs(factors / factor - 1) <= SAME_FACTOR).all(axis=1).mean() >= MIN_SHARE
    if is_mostly_wrong and is_shared:
        return f"coordinates of outlines are {factor[0]:.2g} times those of boxes in x, {factor[1]:.2g} in y"
    return ""
