"""Boxes whose size or shape is more likely a slip of the hand than an object."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.object_findings import object_finding
from boxmask.data.checks.sound_boxes import are_boxes_drawn, has_wrong_coordinates, photo_edges, sound_boxes
from boxmask.data.findings import Finding, Findings, Kind
from boxmask.data.formats.labels import Labels

MIN_SIDE = 3.0
"""Boxes with a shorter side, in pixels, are tiny. A click with a trembling hand makes such boxes, and hardly
any object is so small."""

MAX_ASPECT = 20.0
"""A side this many times as long as the other is extreme. Long things, such as trains and poles, stay below
it in most photos."""

COMMON_SHARE = 0.05
"""Classes with at least this share of tiny or extreme boxes are left alone: such are stars, hairs, wires."""

EDGE = 1.0
"""A box that ends within this many pixels of the photo's edge ends at the edge."""

MANY = 10
"""This many boxes over whole photos are close-ups, not slips, if they are also a `COMMON_SHARE` of all."""

BOX_TINY = Kind(
    "box-tiny",
    "warning",
    "Tiny boxes",
    "Look at each of them: a click without a drag leaves such a box. Remove it, or draw the object.",
)
BOX_EXTREME_SHAPE = Kind(
    "box-extreme-shape",
    "warning",
    "Very long and thin boxes",
    "Look at each of them: a drag along a line leaves such a box. Remove it, or draw the object.",
)
BOX_WHOLE_PHOTO = Kind(
    "box-whole-photo",
    "warning",
    "Boxes that cover their whole photo",
    "Look at each of them. If the object does not fill the photo, draw its box; if the photo shows many "
    "objects, draw one box each.",
)


def check_box_sizes(examination: Examination, findings: Findings) -> None:
    """Find boxes that are tiny, of an extreme shape, or over their whole photo.

    A box that ends at the edge of its photo is left out, because it may show the last bit of an object. So
    only photos of known size are checked. A class whose objects are often tiny or extreme is left alone.
    """
    if has_wrong_coordinates(findings) or not are_boxes_drawn(examination):
        return
    labels = examination.labels
    is_known = np.isfinite(photo_edges(examination)).all(axis=1)
    rows = np.flatnonzero(sound_boxes(examination) & is_known & ~labels.crowd)
    boxes, edges = labels.boxes[rows], photo_edges(examination)[rows]
    sides = boxes[:, 2:] - boxes[:, :2]
    is_cut = ((boxes[:, :2] <= EDGE) | (boxes[:, 2:] >= edges - EDGE)).any(axis=1)
    classes = labels.labels[rows]
    is_tiny = labels.extents[rows].min(axis=1) < MIN_SIDE
    tiny = is_tiny & ~is_cut & ~_is_common(is_tiny, classes)
    is_extreme = sides.max(axis=1) >= MAX_ASPECT * sides.min(axis=1)
    extreme = is_extreme & ~is_cut & ~tiny & ~_is_common(is_extreme, classes)
    for kind, is_bad in ((BOX_TINY, tiny), (BOX_EXTREME_SHAPE, extreme)):
        findings.add_all(kind, rows[is_bad].tolist(), partial(_describe, labels, kind))
    _check_whole_photos(examination, rows[_covers(boxes, edges)], len(rows), findings)


def _describe(labels: Labels, kind: Kind, row: int) -> Finding:
    width, height = labels.extents[row].tolist()
    return object_finding(labels, kind, row, f"is {width:.6g} × {height:.6g} pixels")


def _is_common(is_bad: Bool[np.ndarray, " M"], classes: Int[np.ndarray, " M"]) -> Bool[np.ndarray, " M"]:
    """Whether the class of each box has many such boxes, and so objects of this kind."""
    total = np.bincount(classes)
    bad = np.bincount(classes[is_bad], minlength=len(total))
    is_common = (bad >= MANY) & (bad >= COMMON_SHARE * total)
    return np.asarray(is_common[classes])


def _covers(boxes: Float[np.ndarray, "M 4"], edges: Float[np.ndarray, "M 2"]) -> Bool[np.ndarray, " M"]:
    return np.asarray((boxes[:, :2] <= EDGE).all(axis=1) & (boxes[:, 2:] >= edges - EDGE).all(axis=1))


def _check_whole_photos(
    examination: Examination, rows: Int[np.ndarray, " R"], num_boxes: int, findings: Findings
) -> None:
    """Report boxes over whole photos; once if they are many."""
    labels = examination.labels
    reason = "covers its whole photo"
    if len(rows) >= MANY and len(rows) >= COMMON_SHARE * num_boxes:
        first = object_finding(labels, BOX_WHOLE_PHOTO, int(rows[0]), reason)
        detail = f"{len(rows):,} of {num_boxes:,} boxes cover their whole photo; the first: {first.detail}"
        findings.add(Finding(BOX_WHOLE_PHOTO, first.location, detail, first.photo, first.box))
        return
    findings.add_all(
        BOX_WHOLE_PHOTO, rows.tolist(), lambda row: object_finding(labels, BOX_WHOLE_PHOTO, row, reason)
    )
