"""Mend boxes one by one, where there is one right answer."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from boxmask.data.checks.repeated_boxes import BOX_REPEATED, find_repeated_boxes
from boxmask.data.checks.sound_boxes import photo_edges, sound_boxes
from boxmask.data.detection.box_checks import (
    BOX_BEYOND_EDGE,
    BOX_EMPTY,
    BOX_INVERTED,
    OVERHANG,
    are_fractions,
)
from boxmask.data.findings import Kind
from boxmask.data.formats import coco
from boxmask.data.formats.labels import Labels
from boxmask.data.outlines import RunLengths
from boxmask.doctor.fix.mending import Mending, corner_offset

_MANY, _MAX_BEYOND = 10, 0.1
"""So many boxes beyond their photos, and this share of all, are no slips of the hand."""

_SAME = 1e-6
"""Pixels by which a box may differ from the bounds of its outline."""


def mend_inverted(mending: Mending) -> None:
    """Exchange the corners of boxes whose first corner is not the upper left one.

    A negative width or height may also have a wrong sign. Such a box is taken from its mask, if there is one.
    Without a mask, it is left if it would reach beyond its photo with exchanged corners.
    """
    labels, masks = mending.labels, mending.examination.masks
    inverted = np.isfinite(labels.boxes).all(axis=1, keepdims=True) & (labels.extents < 0)
    is_inverted = inverted.any(axis=1)
    has_extents = labels.box_form in ("xywh", "center")
    if has_extents:
        _take_from_masks(mending, BOX_INVERTED, np.flatnonzero(is_inverted & masks.known))
        is_inverted &= ~masks.known
    rows = np.flatnonzero(is_inverted)
    offset = corner_offset(labels)
    first, second = labels.boxes[rows, :2], labels.boxes[rows, 2:]
    low = np.where(inverted[rows], second - offset, first)
    high = np.where(inverted[rows], first + offset, second)
    boxes = np.concatenate([low, high], axis=1)
    if has_extents:
        edges = photo_edges(mending.examination)[rows]
        fit = (low >= -OVERHANG).all(axis=1) & (high <= edges + OVERHANG).all(axis=1)
        rows, boxes = rows[fit], boxes[fit]
    _set_boxes(mending, BOX_INVERTED, rows, boxes, "its corners were exchanged")


def mend_empty(mending: Mending) -> None:
    """Take the boxes of objects without width or height from their masks; remove objects without a mask."""
    labels, masks = mending.labels, mending.examination.masks
    is_empty = np.isfinite(labels.boxes).all(axis=1) & (labels.extents == 0).any(axis=1) & mending.kept
    is_empty &= (labels.extents >= 0).all(axis=1)
    _take_from_masks(mending, BOX_EMPTY, np.flatnonzero(is_empty & masks.known))
    without = np.flatnonzero(is_empty & ~masks.known).tolist()
    mending.remove(BOX_EMPTY, without, "it has no width or no height")


def _take_from_masks(mending: Mending, kind: Kind, rows: Int[np.ndarray, " M"]) -> None:
    """Replace boxes by the smallest ones around the masks, which must be known."""
    labels, masks, sizes = mending.labels, mending.examination.masks, mending.examination.sizes
    boxes = labels.boxes[rows]
    for number, row in enumerate(rows.tolist()):
        height, width = sizes[labels.photo_of[row]].tolist()
        boxes[number] = masks.mask(row, (height, width)).boxes()[0]
    _set_boxes(mending, kind, rows, boxes, "the smallest box around its mask")


def _set_boxes(
    mending: Mending, kind: Kind, rows: Int[np.ndarray, " M"], boxes: Float[np.ndarray, "M 4"], why: str
) -> None:
    """Replace boxes, except those that would lie within the first pixel: they may be fractions."""
    is_clear = ~are_fractions(boxes, photo_edges(mending.examination)[rows])
    mending.set_boxes(kind, rows[is_clear], boxes[is_clear], why)


def clip_boxes(mending: Mending) -> None:
    """Clip boxes that reach beyond their photo.

    Boxes that lie outside or are misplaced are left, and so are those that only follow from an outline. If
    many reach beyond, all are left: their coordinates may have another meaning.
    """
    labels = mending.labels
    edges = np.tile(photo_edges(mending.examination), 2)
    with np.errstate(invalid="ignore"):  # comparisons with NaN are False
        beyond = ((labels.boxes < -OVERHANG) | (labels.boxes > edges + OVERHANG)).any(axis=1)
    if beyond.sum() >= _MANY and beyond.mean() >= _MAX_BEYOND:
        return
    is_placed = ~mending.misplaced[labels.photo_of]
    rows = np.flatnonzero(beyond & sound_boxes(mending.examination) & mending.kept & is_placed)
    if mending.form is not coco:  # other formats write no box beside an outline
        rows = rows[[not is_around_outline(labels, row) for row in rows.tolist()]]
    boxes = np.clip(labels.boxes[rows], 0, edges[rows])
    _set_boxes(mending, BOX_BEYOND_EDGE, rows, boxes, "clipped to its photo")


def is_around_outline(labels: Labels, row: int) -> bool:
    """Whether the box is the smallest one around the outline."""
    try:
        outline = None if labels.outline is None else labels.outline(row)
    except ValueError:  # reported with the outlines
        return False
    if outline is None or isinstance(outline, RunLengths):
        return False
    return bool(np.abs(outline.bounds() - labels.boxes[row]).max() < _SAME)


def remove_repeats(mending: Mending) -> None:
    """Remove objects with the photo, class, box and mask of an earlier one."""
    for row, first in find_repeated_boxes(mending.examination):
        if mending.kept[row]:
            place = mending.labels.location(first)
            mending.remove(BOX_REPEATED, [row], f"the same as {place}")
