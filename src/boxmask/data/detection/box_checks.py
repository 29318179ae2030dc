"""Boxes that can be trained on: inside their photo, with a width and a height."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from boxmask.data.formats.labels import Labels
from boxmask.errors import LabelError
from boxmask.messages import format_count, format_errors, format_note, format_percent
from boxmask.options import option

MAX_BAD_BOX_SHARE = 0.01
"""Bad boxes are skipped by default while they are less than this share of all boxes of the data set."""

OVERHANG = 1.0
"""Pixels that a box may reach beyond its photo without a note, because some tools count from 1, not 0."""

_MIN_SIDE = 8
"""Photos must be larger than this, in pixels, for boxes within their first pixel to be fractions."""

HOW_TO_CHECK_BOXES = "to check, draw the boxes with boxmask evaluate --pictures"

_HEADING = "Boxes that are empty or outside their photo"

OnBadBoxes = Literal["error", "skip"]
"""What to do with bad boxes: stop at the first, or skip all of them.

`None` skips them below `MAX_BAD_BOX_SHARE` and stops otherwise.
"""


def check_boxes(
    labels: Labels, sizes: NDArray[np.int32], on_bad_boxes: OnBadBoxes | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_], tuple[str, ...]]:
    """Clip boxes to their photos and find the bad ones.

    Bad boxes are empty, inverted, not finite, outside their photo or in fractions of it.

    sizes: (P, 2) heights and widths of the photos as shown

    Returns the clipped boxes (N, 4), a mask of the good ones (N,), and notes on bad and on clipped boxes.
    Raises LabelError for bad boxes, as `on_bad_boxes` says.
    """
    photo_sizes = sizes[labels.photo_of]
    edges = photo_sizes[:, [1, 0, 1, 0]].astype(np.float64)
    clipped = np.clip(labels.boxes, 0, edges).astype(np.float32)
    visible = (clipped[:, 2:] > clipped[:, :2]).all(axis=1)  # False for NaN
    valid = (labels.extents > 0).all(axis=1) & np.isfinite(labels.boxes).all(axis=1)
    broken = (np.floor(labels.extents) != labels.extents).any(axis=1)
    fractions = are_fractions(labels.boxes, photo_sizes) & broken
    good = visible & valid & ~(fractions & (labels.box_form != "mask"))
    errors = [_error(labels, int(row), sizes) for row in np.flatnonzero(~good)]
    return (
        clipped,
        good,
        _skip(errors, len(good), on_bad_boxes) + _note_on_overhang(labels, photo_sizes, good),
    )


def are_fractions(boxes: NDArray[np.float64], photo_sizes: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(N,) whether each box lies within the first pixel of its photo, as coordinates of 0 to 1 do.

    boxes:       (N, 4) continuous edges; VOC's, which count pixels from 1, are moved by -1
    photo_sizes: (N, 2) of each box's photo
    """
    within = (boxes >= -1).all(axis=1) & (boxes <= 1).all(axis=1)
    return np.asarray(within & (photo_sizes > _MIN_SIDE).all(axis=1))


def reach_beyond(boxes: NDArray[np.float64], photo_sizes: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(N,) whether each box reaches beyond its photo by more than OVERHANG. False for NaN.

    photo_sizes: (N, 2) of each box's photo
    """
    edges = photo_sizes[:, [1, 0, 1, 0]]
    return np.asarray(((boxes < -OVERHANG) | (boxes > edges + OVERHANG)).any(axis=1))


def _skip(errors: list[str], num_boxes: int, on_bad_boxes: OnBadBoxes | None) -> tuple[str, ...]:
    """A note on the bad boxes. Raises LabelError where they may not be skipped."""
    if not errors:
        return ()
    share = len(errors) / num_boxes
    if on_bad_boxes == "error" or (on_bad_boxes is None and share >= MAX_BAD_BOX_SHARE):
        raise LabelError(format_errors(_HEADING, errors, _remedy(share), num_boxes))
    count = f"{len(errors):,} of {format_count(num_boxes, 'box')} ({format_percent(share)})"
    return format_note(f"left out: {count}, empty or outside the photo", errors)


def _remedy(share: float) -> str:
    if share == 1:  # skipping would leave nothing to learn from
        return "Correct these labels."
    return (
        f"Correct or remove these labels, or leave these boxes out with {option('on_bad_boxes', 'skip')}. "
        "By default they are left out while they are under "
        f"{format_percent(MAX_BAD_BOX_SHARE)} of all boxes."
    )


def _error(labels: Labels, row: int, sizes: NDArray[np.int32]) -> str:
    """The location of a bad box, its class, and what is wrong with it."""
    name = labels.class_names[labels.labels[row]]
    x1, y1, x2, y2 = labels.boxes[row]
    width, height = labels.extents[row]
    photo = labels.photo_of[row]
    if np.isnan(labels.boxes[row]).all():
        reason = "has no box, and no mask to compute one from"
    elif not np.isfinite(labels.boxes[row]).all():
        reason = f"has a coordinate that is not finite: x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"
    elif width <= 0 or height <= 0:
        click = " (a click without a drag?)" if width == 0 == height else ""
        reason = f"is {width:g} wide and {height:g} high; expected more than 0{click}"
    elif min(x1, y1) >= -1 and max(x2, y2) <= 1:
        reason = f"lies within the first pixel: x {x1:g} to {x2:g}, y {y1:g} to {y2:g}, not in pixels"
    else:
        size = f"{sizes[photo, 1]} × {sizes[photo, 0]} pixels"
        reason = f"lies outside its photo of {size}: x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"
    return f"{labels.location(row)}: {name} in {labels.photos[photo].file} {reason}"


def _note_on_overhang(
    labels: Labels, photo_sizes: NDArray[np.int32], good: NDArray[np.bool_]
) -> tuple[str, ...]:
    beyond = reach_beyond(labels.boxes, photo_sizes)
    locations = [str(labels.location(row)) for row in np.flatnonzero(beyond & good).tolist()]
    return format_note(
        f"clipped: {format_count(len(locations), 'box')} beyond the edge of the photo", locations
    )
