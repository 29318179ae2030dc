"""Boxes that can be trained on: inside their photo, with a width and a height."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from boxmask.data.formats.labels import Labels
from boxmask.data.messages import format_errors, note
from boxmask.errors import LabelError

OnBadBoxes = Literal["error", "skip"]

OVERHANG = 1.0  # pixels that are cut without a word: counting from 0 or from 1 makes such a difference


def check_boxes(
    labels: Labels, sizes: NDArray[np.int32], on_bad_boxes: OnBadBoxes
) -> tuple[NDArray[np.float32], NDArray[np.bool_], tuple[str, ...]]:
    """Clip the boxes to their photos and judge them.

    Gives (N, 4) float32 boxes, (N,) which of them are sound, and notes.
    Raises LabelError for a box that is flat, inverted, not finite or outside its photo; with
    `on_bad_boxes="skip"` these become a note instead.
    """
    edges = sizes[labels.photo][:, [1, 0, 1, 0]].astype(np.float64)
    clipped = np.clip(labels.boxes, 0, edges).astype(np.float32)
    inside = (clipped[:, 2:] > clipped[:, :2]).all(axis=1)  # False for NaN, too
    meant = (labels.extents > 0).all(axis=1) & np.isfinite(labels.boxes).all(axis=1)
    sound = np.logical_and(inside, meant)
    faults = [_fault(labels, int(row), sizes) for row in np.flatnonzero(~sound)]
    if faults and on_bad_boxes == "error":
        remedy = (
            "Correct or remove these labels, or leave such boxes out with --on-bad-boxes skip "
            '(in Python: on_bad_boxes="skip").'
        )
        raise LabelError(format_errors("Boxes that enclose nothing of their photo", faults, remedy))
    notes = note(f"left out {len(faults)} boxes that enclose nothing of their photo", faults)
    return clipped, sound, notes + _note_on_overhang(labels, edges, sound)


def _fault(labels: Labels, row: int, sizes: NDArray[np.int32]) -> str:
    """Where the box stands, its class, and what is wrong with it."""
    name = labels.class_names[labels.labels[row]]
    x1, y1, x2, y2 = labels.boxes[row]
    width, height = labels.extents[row]
    photo = labels.photo[row]
    if np.isnan(labels.boxes[row]).all():
        reason = "has no box, and no outline with a pixel to take it from"
    elif not np.isfinite(labels.boxes[row]).all():
        reason = "has a coordinate that is not finite"
    elif width <= 0 or height <= 0:
        reason = f"is {width:g} wide and {height:g} high"
    else:
        size = f"{sizes[photo, 1]} × {sizes[photo, 0]} pixels"
        reason = f"at x {x1:g} to {x2:g}, y {y1:g} to {y2:g} covers nothing of its photo of {size}"
    return f"{labels.place(row)}: {name} in {labels.photos[photo].file} {reason}"


def _note_on_overhang(
    labels: Labels, edges: NDArray[np.float64], sound: NDArray[np.bool_]
) -> tuple[str, ...]:
    beyond = (labels.boxes < -OVERHANG) | (labels.boxes > edges + OVERHANG)
    places = [labels.place(int(row)) for row in np.flatnonzero(beyond.any(axis=1) & sound)]
    return note(f"{len(places)} boxes reach beyond their photo and were cut at its edge", places)
