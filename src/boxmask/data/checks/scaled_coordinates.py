"""Labels for other sizes than the photos have: in percent, or made on resized copies."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.object_findings import object_finding
from boxmask.data.checks.resized_copies import ResizedCopies, find_resized_copies
from boxmask.data.checks.sound_boxes import (
    are_boxes_drawn,
    has_declared_size,
    has_wrong_coordinates,
    photo_edges,
)
from boxmask.data.detection.box_checks import MAX_BAD_BOX_SHARE, are_fractions, reach_beyond
from boxmask.data.findings import Finding, Findings
from boxmask.data.formats.kinds import COORDINATES_PERCENT, COORDINATES_SCALED
from boxmask.messages import format_count

MIN_BOXES, MIN_PHOTOS = 20, 10
"""Fewer do not show how far the labels of a data set reach."""

MIN_BEYOND = 0.1
"""Larger copies: at least this share of the boxes reaches beyond the photos."""

MIN_GROWN = 1.1
"""Labels that reach less far beyond their photos, along a side, may be drawn carelessly."""

MAX_CHANCE = 1e-6
"""Smaller copies: the chance that boxes avoid the rest of their photos must be below this. A photo counts
once, because objects of one photo are often close together."""

MAX_SHRUNK = 0.8
"""Labels that fill more than this part of the photos, along a side, may avoid the edges for a reason."""

MAX_MARGIN = 0.1
"""Some boxes begin in this part of the copies, at the left and at the top."""

MIN_SIDE_SHARE = 0.25
"""At least this share of the boxes lies in each half of the copies: left and right, upper and lower."""


def check_scaled_coordinates(examination: Examination, findings: Findings) -> None:
    """Find labels whose boxes fill other sizes than those of the photos, and do not reach beyond them.

    Boxes that would also fit their photos as corners, or as center and size, may be written in this form, and
    are left alone.
    """
    if has_wrong_coordinates(findings) or not are_boxes_drawn(examination):
        return
    labels = examination.labels
    rows = telling_rows(examination)
    boxes, edges, photos = labels.boxes[rows], photo_edges(examination)[rows], labels.photo_of[rows]
    if len(rows) < MIN_BOXES or len(np.unique(photos)) < MIN_PHOTOS or (boxes[:, 2:] <= 0).all(axis=0).any():
        return
    if are_fractions(boxes, examination.sizes[photos]).all():  # a check of its own
        return
    copies = find_resized_copies(boxes, edges, photos)
    beyond = reach_beyond(boxes, edges[:, ::-1])
    if _fill(boxes, copies) and (_are_larger(boxes, edges, copies, beyond) or _are_smaller(copies, beyond)):
        row = int(np.argmax(beyond)) if beyond.any() else int(np.argmax((boxes[:, 2:] / edges).max(axis=1)))
        findings.add(_finding(examination, copies, int(rows[row]), beyond))


def telling_rows(examination: Examination) -> Int[np.ndarray, " M"]:
    """Boxes with a size, in photos of known size. Photos of another size than declared are left out."""
    labels = examination.labels
    is_finite = np.isfinite(labels.boxes).all(axis=1) & np.isfinite(photo_edges(examination)).all(axis=1)
    has_sides = (labels.extents > 0).all(axis=1)
    return np.flatnonzero(is_finite & has_sides & has_declared_size(examination)[labels.photo_of])


def _finding(
    examination: Examination, copies: ResizedCopies, row: int, beyond: Bool[np.ndarray, " M"]
) -> Finding:
    """The finding, shown at one box."""
    is_percent = (
        copies.is_percent and not examination.in_fractions
    )  # percent divided by the size of the photo
    kind = COORDINATES_PERCENT if is_percent else COORDINATES_SCALED
    reach = f"{beyond.sum():,} of {format_count(len(beyond), 'box')} reach beyond their photos"
    if not beyond.any():
        part = np.exp(copies.log_areas.mean())
        count = format_count(len(beyond), "box")
        num_photos = f"{len(copies.log_areas):,} photos"
        reach = f"{count} in {num_photos} lie in only {100 * part:.2g} % of their area, at the upper left"
    fit = "values from 0 to 100" if is_percent else f"{copies.form}: {copies.remedy}"
    first = object_finding(examination.labels, kind, row, "reaches farthest")
    return Finding(kind, first.location, f"{reach}, and fill {fit}", first.photo, first.box)


def _fill(boxes: Float[np.ndarray, "M 4"], copies: ResizedCopies) -> bool:
    """Whether boxes fill the copies from edge to edge."""
    corners = boxes.reshape(-1, 2, 2) / copies.edges[:, None]
    begin = np.quantile(corners[:, 0], MAX_BAD_BOX_SHARE, axis=0, method="lower")
    in_first_half = (corners.mean(axis=1) < 0.5).mean(axis=0)
    is_balanced = np.abs(in_first_half - 0.5) <= 0.5 - MIN_SIDE_SHARE
    return bool((np.abs(begin) <= MAX_MARGIN).all() and is_balanced.all())


def _are_larger(
    boxes: Float[np.ndarray, "M 4"],
    edges: Float[np.ndarray, "M 2"],
    copies: ResizedCopies,
    beyond: Bool[np.ndarray, " M"],
) -> bool:
    """Whether boxes reach so far beyond their photos that only larger copies explain them."""
    is_grown = (copies.edges / edges).max() >= MIN_GROWN
    return bool(beyond.mean() >= MIN_BEYOND and is_grown and not _is_other_form(boxes, edges))


def _are_smaller(copies: ResizedCopies, beyond: Bool[np.ndarray, " M"]) -> bool:
    """Whether boxes avoid the right and the lower part of their photos more often than by chance.

    Copies of one size are square, or have the shape of the photos. Objects of a scene fill other shapes.
    """
    has_part = np.exp(copies.log_areas.mean() / 2) <= MAX_SHRUNK
    chance = np.minimum(copies.log_areas, 0).sum()
    is_plausible = copies.size is None or copies.is_percent or copies.size[0] == copies.size[1]
    fits = beyond.mean() <= MAX_BAD_BOX_SHARE
    return bool(is_plausible and has_part and fits and chance <= np.log(MAX_CHANCE))


def _is_other_form(boxes: Float[np.ndarray, "M 4"], edges: Float[np.ndarray, "M 2"]) -> bool:
    """Whether boxes x, y, width, height fit as corners, or as center, width and height."""
    sides = boxes[:, 2:] - boxes[:, :2]
    as_centers = boxes - np.tile(sides / 2, 2)
    as_corners = np.concatenate([boxes[:, :2], sides], axis=1)
    are_corners = (sides > boxes[:, :2]).all(axis=1).mean() >= 1 - MAX_BAD_BOX_SHARE
    fit = [
        reach_beyond(form, edges[:, ::-1]).mean() <= MAX_BAD_BOX_SHARE for form in (as_centers, as_corners)
    ]
    return bool(fit[0] or (fit[1] and are_corners))
