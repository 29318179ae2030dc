"""Mend boxes one by one, where there is one right answer."""

from __future__ import annotations

import numpy as np

from boxmask.data.checks.repeated_boxes import find_repeated_boxes
from boxmask.data.checks.sound_boxes import photo_edges, sound_boxes
from boxmask.data.detection.box_checks import OVERHANG
from boxmask.doctor.fix.mending import Mending, corner_offset


def mend_inverted(mending: Mending) -> None:
    """Exchange the corners of boxes whose first corner is not the upper left one."""
    labels = mending.labels
    inverted = np.isfinite(labels.boxes).all(axis=1, keepdims=True) & (labels.extents < 0)
    rows = np.flatnonzero(inverted.any(axis=1))
    offset = corner_offset(labels)
    first, second = labels.boxes[rows, :2], labels.boxes[rows, 2:]
    low = np.where(inverted[rows], second - offset, first)
    high = np.where(inverted[rows], first + offset, second)
    boxes = np.concatenate([low, high], axis=1)
    mending.set_boxes("box-inverted", rows, boxes, "its corners were exchanged")


def mend_empty(mending: Mending) -> None:
    """Take the boxes of objects without width or height from their masks; remove objects without a mask."""
    labels, masks, sizes = mending.labels, mending.examination.masks, mending.examination.sizes
    is_empty = np.isfinite(labels.boxes).all(axis=1) & (labels.extents == 0).any(axis=1) & mending.kept
    with_mask = np.flatnonzero(is_empty & masks.known)
    boxes = labels.boxes[with_mask]
    for number, row in enumerate(with_mask.tolist()):
        height, width = sizes[labels.photo_of[row]].tolist()
        boxes[number] = masks.masks(slice(row, row + 1), (height, width)).boxes()[0]
    mending.set_boxes("box-empty", with_mask, boxes, "the smallest box around its mask")
    without = np.flatnonzero(is_empty & ~masks.known).tolist()
    mending.remove("box-empty", without, "it has no width or no height")


def clip_boxes(mending: Mending) -> None:
    """Clip boxes that reach beyond their photo. Those that lie outside, or are misplaced, are left."""
    labels = mending.labels
    edges = np.tile(photo_edges(mending.examination), 2)
    with np.errstate(invalid="ignore"):  # comparisons with NaN are False
        beyond = ((labels.boxes < -OVERHANG) | (labels.boxes > edges + OVERHANG)).any(axis=1)
    is_placed = ~mending.misplaced[labels.photo_of]
    rows = np.flatnonzero(beyond & sound_boxes(mending.examination) & mending.kept & is_placed)
    boxes = np.clip(labels.boxes[rows], 0, edges[rows])
    mending.set_boxes("box-beyond-edge", rows, boxes, "clipped to its photo")


def remove_repeats(mending: Mending) -> None:
    """Remove objects with the photo, class, box and mask of an earlier one."""
    for row, first in find_repeated_boxes(mending.examination):
        if mending.kept[row]:
            place = mending.labels.location(first)
            mending.remove("box-repeated", [row], f"the same as {place}")
