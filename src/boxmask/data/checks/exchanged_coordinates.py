"""Labels whose x and y are exchanged."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.object_findings import format_box
from boxmask.data.checks.sound_boxes import (
    are_boxes_drawn,
    has_declared_size,
    has_wrong_coordinates,
    photo_edges,
)
from boxmask.data.detection.box_checks import MAX_BAD_BOX_SHARE, OVERHANG
from boxmask.data.findings import Finding, Findings, Kind
from boxmask.messages import format_count

MIN_BEYOND = 0.03
"""At least this share of the boxes must reach far beyond photos that are not square."""

FAR = 0.05
"""Boxes that reach beyond their photo by this part of its side are more than drawn carelessly."""

MIN_BOXES = 5
"""Fewer boxes may reach beyond their photos, and fit exchanged, by accident."""

COORDINATES_EXCHANGED = Kind(
    "coordinates-exchanged",
    "error",
    "Boxes with x and y exchanged",
    "Exchange x and y, and width and height, in all labels. If the photos were rotated after labeling, "
    "rotate them back instead.",
)


def check_exchanged_coordinates(examination: Examination, findings: Findings) -> None:
    """Find labels whose boxes reach far beyond their photos, but all fit with x and y exchanged.

    Only photos that are clearly not square show the difference. Photos whose labels declare another size are
    left to the checks of sizes.
    """
    if has_wrong_coordinates(findings) or not are_boxes_drawn(examination):
        return
    rows = _telling_rows(examination)
    boxes, edges = examination.labels.boxes[rows], photo_edges(examination)[rows]
    beyond = _reaches_beyond(boxes, (1 + FAR) * edges)
    beyond_exchanged = _reaches_beyond(boxes[:, [1, 0, 3, 2]], edges)
    if beyond.sum() < max(
        MIN_BOXES, MIN_BEYOND * len(rows)
    ) or beyond_exchanged.sum() > MAX_BAD_BOX_SHARE * len(rows):
        return
    labels, first = examination.labels, int(rows[np.argmax(beyond)])
    photo = labels.photos[labels.photo_of[first]]
    width, height = edges[np.argmax(beyond)].tolist()
    fit = "all" if not beyond_exchanged.any() else f"all but {beyond_exchanged.sum():,}"
    detail = (
        f"{beyond.sum():,} of {format_count(len(rows), 'box')} reach far beyond their photos, and {fit} fit "
        f"with x and y exchanged; the first: {format_box(labels, first)} in {photo.file}, which has "
        f"{width:g} × {height:g} pixels"
    )
    x1, y1, x2, y2 = labels.boxes[first].tolist()
    findings.add(Finding(COORDINATES_EXCHANGED, labels.location(first), detail, photo.file, (y1, x1, y2, x2)))


def _telling_rows(examination: Examination) -> Int[np.ndarray, " M"]:
    """The boxes in photos that are not square."""
    labels = examination.labels
    edges = photo_edges(examination)
    is_known = np.isfinite(edges).all(axis=1) & np.isfinite(labels.boxes).all(axis=1)
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        is_oblong = np.abs(edges[:, 0] - edges[:, 1]) > 2 * OVERHANG
    return np.flatnonzero(is_known & is_oblong & has_declared_size(examination)[labels.photo_of])


def _reaches_beyond(
    boxes: Float[np.ndarray, "M 4"], edges: Float[np.ndarray, "M 2"]
) -> Bool[np.ndarray, " M"]:
    """Whether each box reaches beyond its photo to the right or below."""
    return np.asarray((boxes[:, 2:] > edges + OVERHANG).any(axis=1))
