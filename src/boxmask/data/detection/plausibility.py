"""Boxes that are possible one by one, but implausible as a whole.

Some mistakes concern all labels of a data set. A model would learn them, and its metrics would look good,
because they are measured on the same labels. Coordinates of another kind, such as fractions of the photo, are
an error. They are not converted, because other programs would read other boxes from the same file. Labels
that are unusual but may be right are noted.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from boxmask.data.detection.box_checks import (
    HOW_TO_CHECK_BOXES,
    MAX_BAD_BOX_SHARE,
    OVERHANG,
    are_fractions,
)
from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.formats.labels import Labels
from boxmask.errors import LabelError
from boxmask.messages import format_count, format_errors, format_note

_MIN_BOXES = 3
"""Fewer boxes may reach beyond their photos by accident."""

_MIN_SAME = 10
"""Fewer boxes may be alike by accident."""

_MAX_SHOWN = 5


# ---------------------------------------------------------------- coordinates of another kind


def check_coordinates(labels: Labels, sizes: NDArray[np.int32]) -> None:
    """Raise LabelError if all boxes are in fractions of the photo, or corners in COCO's bbox.

    sizes: (P, 2) heights and widths of the photos as shown
    """
    rows = np.flatnonzero(np.isfinite(labels.boxes).all(axis=1) & (labels.extents > 0).all(axis=1))
    if labels.box_form == "mask" or not len(rows):
        return
    photo_sizes = sizes[labels.photo_of[rows]]
    if are_fractions(labels.boxes[rows], photo_sizes).all():
        remedy = (
            "Multiply x and the width by the width of the photo, y and the height by its height. If x and y "
            "are the center of the box, as in YOLO, subtract half of its width and height first."
        )
        raise _error(labels, rows, "Boxes in fractions of the photo instead of pixels", remedy)
    if labels.box_form == "xywh" and _are_corners(labels, rows, photo_sizes):
        heading = "Boxes that reach beyond their photos, but would fit as corners, [x1, y1, x2, y2]"
        remedy = "COCO's bbox is [x, y, width, height]. Subtract x from the third value, y from the fourth."
        raise _error(labels, rows, heading, remedy)


def _are_corners(labels: Labels, rows: NDArray[np.int64], photo_sizes: NDArray[np.int32]) -> bool:
    """Whether all boxes x, y, width, height fit as x1, y1, x2, y2, and most do not fit as they are."""
    edges = photo_sizes[:, ::-1] + OVERHANG
    top_left, extents = labels.boxes[rows, :2], labels.extents[rows]
    beyond = (top_left + extents > edges).any(axis=1)
    fit_as_corners = ((extents > top_left) & (extents <= edges) & (top_left >= -OVERHANG)).all(axis=1)
    return len(rows) >= _MIN_BOXES and bool(beyond.mean() > 0.5) and bool(fit_as_corners.all())


def _error(labels: Labels, rows: NDArray[np.int64], heading: str, remedy: str) -> LabelError:
    locations = [_describe(labels, row) for row in rows.tolist()]
    return LabelError(format_errors(heading, locations, remedy, len(labels.boxes)))


def _describe(labels: Labels, row: int) -> str:
    x1, y1, x2, y2 = labels.boxes[row]
    name, photo = labels.class_names[labels.labels[row]], labels.photos[labels.photo_of[row]]
    return f"{labels.location(row)}: {name} in {photo.file}: x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"


# ---------------------------------------------------------------- labels that may be right


def notes_on_plausibility(
    labels: Labels, sizes: NDArray[np.int32], masks: RleMasks, good: NDArray[np.bool_]
) -> tuple[str, ...]:
    """Notes on what is probably wrong with the boxes of the whole data set.

    sizes: (P, 2) heights and widths of the photos as shown
    masks: of the N objects
    good:  (N,) the objects that are kept
    """
    rows = np.flatnonzero(good)
    edges = sizes[labels.photo_of[rows]][:, ::-1].astype(np.float64)
    return (
        *_note_on_repeats(labels, rows, masks),
        *_note_on_one_box(labels, rows),
        *_note_on_whole_photos(labels, rows, edges),
        *_note_on_upper_left_corner(labels, rows, edges),
        *_note_on_counting_from_zero(labels, rows),
        *_note_on_empty_classes(labels, rows),
    )


def _note_on_repeats(labels: Labels, rows: NDArray[np.int64], masks: RleMasks) -> tuple[str, ...]:
    """Objects with the same photo, class, box and mask. They are kept: two objects may hide each other."""
    by_content: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for row in rows.tolist():
        mask = masks.runs[masks.offsets[row] : masks.offsets[row + 1]].tobytes()
        content = (labels.photo_of[row], labels.labels[row], labels.boxes[row].tobytes(), mask)
        by_content[content].append(row)
    repeats = [same for same in by_content.values() if len(same) > 1]
    count = format_count(sum(len(same) - 1 for same in repeats), "object")
    heading = f"repeated: {count} with the photo, class and box of another (remove them if they are copies)"
    return format_note(
        heading, [" and ".join(str(labels.location(row)) for row in same[:_MAX_SHOWN]) for same in repeats]
    )


def _note_on_one_box(labels: Labels, rows: NDArray[np.int64]) -> tuple[str, ...]:
    boxes = labels.boxes[rows]
    if not _are_many(labels, rows) or not (boxes == boxes[0]).all():
        return ()
    return format_note(
        f"all {len(rows):,} boxes are the same; are they placeholders?", [_describe(labels, int(rows[0]))]
    )


def _note_on_whole_photos(
    labels: Labels, rows: NDArray[np.int64], edges: NDArray[np.float64]
) -> tuple[str, ...]:
    boxes = labels.boxes[rows]
    covers = (boxes[:, :2] <= OVERHANG) & (boxes[:, 2:] >= edges - OVERHANG)
    if not _are_many(labels, rows) or not covers.all():
        return ()
    heading = (
        f"all {len(rows):,} boxes cover their whole photo, so that a detector learns classes only, which a "
        "classifier does better (--model classifier)"
    )
    return format_note(heading, [_describe(labels, int(rows[0]))])


def _note_on_upper_left_corner(
    labels: Labels, rows: NDArray[np.int64], edges: NDArray[np.float64]
) -> tuple[str, ...]:
    if not _are_many(labels, rows) or not (labels.boxes[rows, 2:] < edges / 2).all():
        return ()
    heading = (
        f"all {len(rows):,} boxes lie in the upper left quarter of their photos; were the photos enlarged "
        f"after labeling? ({HOW_TO_CHECK_BOXES})"
    )
    return format_note(heading, [_describe(labels, int(rows[0]))])


def _note_on_counting_from_zero(labels: Labels, rows: NDArray[np.int64]) -> tuple[str, ...]:
    """VOC counts pixels from 1. Boxes that count from 0 are read one pixel too far left: a small error."""
    top_left = labels.boxes[rows, :2]
    from_zero = rows[(top_left == -1).any(axis=1)]
    is_rare = len(from_zero) < MAX_BAD_BOX_SHARE * len(rows)
    if labels.box_form != "voc" or (top_left < -1).any() or is_rare:
        return ()
    heading = (
        f"{format_count(len(from_zero), 'box')} beginning at 0, although VOC counts pixels from 1; if all "
        "boxes count from 0, add 1 to their coordinates"
    )
    return format_note(heading, [str(labels.location(row)) for row in from_zero.tolist()])


def _note_on_empty_classes(labels: Labels, rows: NDArray[np.int64]) -> tuple[str, ...]:
    counted = rows[~(labels.crowd[rows] | labels.difficult[rows])]
    used = set(labels.labels[counted].tolist())
    empty = [name for label, name in enumerate(labels.class_names) if label not in used]
    return format_note(f"{len(empty)} of {len(labels.class_names)} classes have no object", empty)


def _are_many(labels: Labels, rows: NDArray[np.int64]) -> bool:
    """Whether the boxes are enough, in enough photos, to be no accident."""
    return len(rows) >= _MIN_SAME and len(np.unique(labels.photo_of[rows])) >= _MIN_SAME
