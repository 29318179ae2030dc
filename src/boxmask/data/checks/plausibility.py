"""Boxes that are possible one by one, but unusual as a whole. They may be right."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.object_findings import format_box, object_finding
from boxmask.data.checks.sound_boxes import are_boxes_drawn, has_wrong_coordinates, photo_edges, sound_boxes
from boxmask.data.detection.box_checks import HOW_TO_CHECK_BOXES, MAX_BAD_BOX_SHARE
from boxmask.data.findings import Findings, Kind
from boxmask.data.formats.labels import Labels

_MIN_SAME = 10
"""Fewer boxes may be alike by accident."""

_ROUNDING = 1e-9
"""Fractions of a photo that differ by less are the same."""

BOXES_IDENTICAL = Kind(
    "boxes-identical",
    "warning",
    "Data sets in which all boxes are the same",
    "Check whether these boxes are placeholders. If so, draw the objects.",
)
BOXES_UPPER_LEFT = Kind(
    "boxes-upper-left",
    "note",
    "Data sets in which all boxes lie in the upper left quarter",
    f"Check whether the photos were enlarged after labeling ({HOW_TO_CHECK_BOXES}).",
)
BOXES_COUNT_FROM_ZERO = Kind(
    "boxes-count-from-zero",
    "note",
    "Pascal VOC boxes that count pixels from 0",
    "Pascal VOC counts pixels from 1. If your boxes count from 0, add 1 to all coordinates.",
)


def check_plausibility(examination: Examination, findings: Findings) -> None:
    """Find data sets whose boxes are all the same, lie in one quarter of the photos, or count from 0."""
    if has_wrong_coordinates(findings) or not are_boxes_drawn(examination):
        return
    labels = examination.labels
    rows = np.flatnonzero(sound_boxes(examination))
    _check_counting_from_zero(labels, rows, findings)
    if len(rows) < _MIN_SAME or len(np.unique(labels.photo_of[rows])) < _MIN_SAME:
        return
    boxes, edges = labels.boxes[rows], photo_edges(examination)[rows]
    first = int(rows[0])
    if (boxes == boxes[0]).all() or (labels.box_form == "center" and _are_same_fractions(boxes, edges)):
        reason = f"has the box of all {len(rows):,} objects: {format_box(labels, first)}"
        findings.add(object_finding(labels, BOXES_IDENTICAL, first, reason))
    elif _are_upper_left(boxes, edges):
        reason = f"lies there, as all {len(rows):,} boxes do: {format_box(labels, first)}"
        findings.add(object_finding(labels, BOXES_UPPER_LEFT, first, reason))


def _are_same_fractions(boxes: Float[np.ndarray, "M 4"], edges: Float[np.ndarray, "M 2"]) -> bool:
    """Whether all boxes are the same part of their photos, as placeholders of YOLO are."""
    fractions = boxes / np.tile(edges, 2)
    return bool(np.isfinite(edges).all() and np.ptp(fractions, axis=0).max() < _ROUNDING)


def _are_upper_left(boxes: Float[np.ndarray, "M 4"], edges: Float[np.ndarray, "M 2"]) -> bool:
    is_known: Bool[np.ndarray, " M"] = np.isfinite(edges).all(axis=1)
    return bool(is_known.any() and (boxes[is_known, 2:] < edges[is_known] / 2).all())


def _check_counting_from_zero(labels: Labels, rows: Int[np.ndarray, " M"], findings: Findings) -> None:
    """VOC counts pixels from 1. Boxes that count from 0 are read one pixel too far left: a small error."""
    top_left = labels.boxes[rows, :2]
    from_zero = rows[(top_left == -1).any(axis=1)]
    is_rare = len(from_zero) < MAX_BAD_BOX_SHARE * len(rows)
    if labels.box_form != "voc" or (top_left < -1).any() or is_rare:
        return
    findings.add_all(
        BOXES_COUNT_FROM_ZERO,
        from_zero.tolist(),
        lambda row: object_finding(labels, BOXES_COUNT_FROM_ZERO, row, format_box(labels, row)),
    )
