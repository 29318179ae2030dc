"""Boxes whose four numbers have another meaning than their format gives them.

A box is x, y, width and height from its upper left corner (COCO, VIA, Label Studio) or from its center (YOLO,
CreateML), or two corners (Pascal VOC, CSV, CVAT). Numbers of one form, read as those of another, give boxes
that reach beyond their photos or have negative sides, while all fit in the form in which they were written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.detection.box_checks import MAX_BAD_BOX_SHARE, OVERHANG
from boxmask.data.detection.photo_sizes import edges_of
from boxmask.data.findings import Finding, Kind
from boxmask.data.formats.labels import Labels
from boxmask.messages import format_count

MIN_BOXES = 3
MIN_MISFITS = 0.5
"""Corners and sizes are mistaken for each other only if more than this share of at least `MIN_BOXES` boxes
does not fit."""

MIN_SHIFTED_BOXES = 5
MIN_SHIFTED = 0.03
"""Centers and upper left corners are mistaken for each other only if at least `MIN_SHIFTED_BOXES` boxes, and
this share of all, reach beyond their photos."""

MIN_REACH = 0.08
"""They must reach beyond by this part of their sides, in the median; careless boxes reach less far."""

MAX_CHANCE = 1e-3
"""The chance that boxes keep their distance from the other two edges must be below this, too."""

OVERHANG_OF_FRACTIONS = 0.01
"""`OVERHANG` for labels in fractions of photos whose size is unknown."""

COORDINATES_CORNERS = Kind(
    "coordinates-corners",
    "error",
    "Boxes written as corners instead of width and height",
    "These boxes reach beyond their photos, but fit as [x1, y1, x2, y2]. COCO's bbox is [x, y, width, "
    "height]: subtract x from the third value, and y from the fourth. YOLO and CreateML write the "
    "center of a box, then its width and height.",
)
COORDINATES_SIZES = Kind(
    "coordinates-sizes",
    "error",
    "Boxes written as width and height instead of corners",
    "These boxes have corners in the wrong order, but fit as x, y, width and height. This format has x1, y1, "
    "x2, y2: add x to the width, and y to the height. If x and y are those of the center, subtract half of "
    "the width and height first.",
)
COORDINATES_CENTERS = Kind(
    "coordinates-centers",
    "error",
    "Boxes written with their center instead of their upper left corner",
    "These boxes reach beyond the right or lower edge, but fit if x and y are their centers. Subtract half "
    "of the width from x, and half of the height from y.",
)
COORDINATES_UPPER_LEFT = Kind(
    "coordinates-upper-left",
    "error",
    "Boxes written with their upper left corner instead of their center",
    "These boxes reach beyond the left or upper edge, but fit if x and y are their upper left corners. Add "
    "half of the width to x, and half of the height to y.",
)


@dataclass(frozen=True)
class _Numbers:
    """The four numbers of M boxes as they are written, and what they must fit.

    edges: widths and heights of the photos
    slack: by how much a box may reach beyond
    """

    values: Float[np.ndarray, "M 4"]
    edges: Float[np.ndarray, "M 2"]
    slack: Float[np.ndarray, "M 2"]

    def misfits(self, boxes: Float[np.ndarray, "M 4"]) -> Bool[np.ndarray, " M"]:
        """Which boxes, x1, y1, x2, y2, have no sides or reach beyond their photos."""
        has_sides = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        return np.asarray(~has_sides | (boxes[:, :2] < -self.slack).any(axis=1) | self.end_beyond(boxes))

    def end_beyond(self, boxes: Float[np.ndarray, "M 4"]) -> Bool[np.ndarray, " M"]:
        """Which boxes reach beyond the right or lower edge."""
        return np.asarray((boxes[:, 2:] > self.edges + self.slack).any(axis=1))

    def fit(self, boxes: Float[np.ndarray, "M 4"]) -> bool:
        return bool(self.misfits(boxes).mean() <= MAX_BAD_BOX_SHARE)


_Boxes = Float[np.ndarray, "M 4"]


def _corners(values: _Boxes) -> _Boxes:
    return values


def from_upper_left(values: _Boxes) -> _Boxes:
    """The corners of boxes x, y, width, height."""
    return np.asarray(np.concatenate([values[:, :2], values[:, :2] + values[:, 2:]], axis=1))


def from_center(values: _Boxes) -> _Boxes:
    """The corners of boxes center x, center y, width, height."""
    return np.concatenate([values[:, :2] - values[:, 2:] / 2, values[:, :2] + values[:, 2:] / 2], axis=1)


_READ: Mapping[str, Callable[[_Boxes], _Boxes]] = {
    "xywh": from_upper_left,
    "center": from_center,
    "corners": _corners,
    "voc": _corners,
}


def find_other_form(
    labels: Labels, rows: Int[np.ndarray, " R"], sizes: Int[np.ndarray, "P 2"], unknown_edge: float
) -> Finding | None:
    """Find boxes that are all written in another form; one finding for all, at the first that does not fit.

    rows:         of boxes that the labels write, with finite numbers
    unknown_edge: see `check_boxes`
    """
    edges = edges_of(sizes, unknown_edge)[labels.photo_of[rows]]
    is_known = np.isfinite(edges).all(axis=1)
    rows, edges = rows[is_known], edges[is_known]
    if labels.box_form == "mask" or len(rows) < MIN_BOXES:
        return None
    slack = np.where(edges > 1, OVERHANG, OVERHANG_OF_FRACTIONS)
    numbers = _Numbers(written_numbers(labels, rows), edges, slack)
    misfits = numbers.misfits(_READ[labels.box_form](numbers.values))
    found = _other_form(labels.box_form, numbers, misfits)
    return None if found is None else _finding(labels, rows, misfits, *found)


def written_numbers(labels: Labels, rows: Int[np.ndarray, " R"]) -> Float[np.ndarray, "R 4"]:
    """The numbers as they are written."""
    boxes, extents = labels.boxes[rows], labels.extents[rows]
    if labels.box_form == "corners":
        return np.asarray(boxes)
    if labels.box_form == "voc":
        return np.asarray(boxes + np.array([1.0, 1, 0, 0]))
    points = boxes[:, :2] + (extents / 2 if labels.box_form == "center" else 0)
    return np.concatenate([points, extents], axis=1)


def _other_form(form: str, numbers: _Numbers, misfits: Bool[np.ndarray, " M"]) -> tuple[Kind, str] | None:
    """The form in which the numbers fit, if they do not in their own, and this form in words."""
    values = numbers.values
    if form in ("corners", "voc"):
        if misfits.mean() <= MIN_MISFITS:
            return None
        if numbers.fit(from_upper_left(values)):
            return COORDINATES_SIZES, "x, y, width and height"
        centers = numbers.fit(from_center(values))
        return (COORDINATES_SIZES, "center, width and height") if centers else None
    if misfits.mean() > MIN_MISFITS and not numbers.misfits(values).any():
        return COORDINATES_CORNERS, "corners"
    return _shifted_form(form, numbers, misfits)


def _shifted_form(form: str, numbers: _Numbers, misfits: Bool[np.ndarray, " M"]) -> tuple[Kind, str] | None:
    """Centers in place of upper left corners, or the reverse."""
    values = numbers.values
    if misfits.sum() < max(MIN_SHIFTED_BOXES, MIN_SHIFTED * len(values)) or not _keep_distance(numbers):
        return None
    boxes, sides = _READ[form](values[misfits]), values[misfits, 2:]
    beyond = np.maximum(-boxes[:, :2], boxes[:, 2:] - numbers.edges[misfits])
    beyond /= np.where(sides > 0, sides, np.inf)
    if np.median(beyond.max(axis=1)) < MIN_REACH:
        return None
    if form == "xywh" and numbers.fit(from_center(values)):
        return COORDINATES_CENTERS, "center, width and height"
    if form == "center" and numbers.fit(from_upper_left(values)):
        return COORDINATES_UPPER_LEFT, "upper left corner, width and height"
    return None


def _keep_distance(numbers: _Numbers) -> bool:
    """Whether it is no chance that boxes stay half of their size away from the edges that they do not cross.

    The place of a box is random, and the distance of a side from its edge between 0 and the free space.
    """
    sides = numbers.values[:, 2:]
    free = np.maximum(numbers.edges - sides, 1e-9)
    apart = np.clip(1 - sides / 2 / free, 1e-9, 1)
    return bool(np.log(apart).sum() <= np.log(MAX_CHANCE))


def _finding(
    labels: Labels, rows: Int[np.ndarray, " R"], misfits: Bool[np.ndarray, " R"], kind: Kind, form: str
) -> Finding:
    row = int(rows[np.argmax(misfits)])
    x1, y1, x2, y2 = labels.boxes[row].tolist()
    name, photo = labels.class_names[labels.labels[row]], labels.photos[labels.photo_of[row]]
    detail = (
        f"{misfits.sum():,} of {format_count(len(rows), 'box')} do not fit their photos, and all fit as "
        f"{form}; the first: {name} in {photo.file}: x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"
    )
    return Finding(kind, labels.location(row), detail, photo.file)
