"""Convert coordinates that all labels of a data set write in another form."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from boxmask.data.checks.exchanged_coordinates import COORDINATES_EXCHANGED
from boxmask.data.checks.sound_boxes import photo_edges
from boxmask.data.detection.box_checks import fit_as_fractions
from boxmask.data.detection.coordinates import COORDINATES_FRACTIONS
from boxmask.data.detection.declared_sizes import EXIF_SIDEWAYS
from boxmask.data.formats import yolo
from boxmask.data.formats.kinds import COORDINATES_PERCENT
from boxmask.data.formats.yolo.kinds import COORDINATES_PIXELS
from boxmask.doctor.fix.box_forms import mend_box_forms
from boxmask.doctor.fix.mending import Mending, corner_offset


class _Boxes(NamedTuple):
    """The finite boxes in photos of known size, their rows, and width and height of their photos."""

    rows: Int[np.ndarray, " M"]
    boxes: Float[np.ndarray, "M 4"]
    edges: Float[np.ndarray, "M 2"]


def mend_coordinates(mending: Mending) -> None:
    """Convert fractions, percent, exchanged coordinates, and boxes of another form, if these were found.

    What is converted is decided. Boxes that may lie sideways are misplaced.
    """
    conversions = {
        COORDINATES_FRACTIONS: _convert_fractions,
        COORDINATES_PERCENT: _convert_percent,
        COORDINATES_EXCHANGED: _exchange_x_and_y,
    }
    for kind, convert in conversions.items():
        if mending.has(kind) and convert(mending, _finite_boxes(mending)):
            mending.decided.add(kind)
    mending.decided.add(COORDINATES_PIXELS)  # which the reader of YOLO labels has converted
    mend_box_forms(mending)
    sideways = mending.photos_of(EXIF_SIDEWAYS)
    mending.misplaced |= np.array([photo.file in sideways for photo in mending.labels.photos], dtype=bool)


def _finite_boxes(mending: Mending) -> _Boxes:
    edges = photo_edges(mending.examination)
    boxes = mending.labels.boxes
    rows = np.flatnonzero(np.isfinite(boxes).all(axis=1) & np.isfinite(edges).all(axis=1))
    return _Boxes(rows, boxes[rows], edges[rows])


def _convert_fractions(mending: Mending, finite: _Boxes) -> bool:
    """Multiply fractions by the size of the photo; returns whether they were converted.

    x and y of COCO's boxes may be the upper left corner, or the center as in YOLO. They are converted if only
    one of the two fits the photos.
    """
    labels, fractions = mending.labels, finite.boxes.copy()
    fractions[:, :2] += corner_offset(labels)  # VOC's corners were moved by -1 when they were read
    why = "fractions of the photo, now pixels"
    if labels.box_form == "xywh":
        sides = labels.extents[finite.rows]
        centered = np.concatenate([fractions[:, :2] - sides / 2, fractions[:, :2] + sides / 2], axis=1)
        fit_as_corner, fit_as_center = fit_as_fractions(fractions), fit_as_fractions(centered)
        if fit_as_corner == fit_as_center:
            return False
        if fit_as_center:
            fractions, why = centered, "center and size in fractions of the photo, now pixels"
    mending.factors[finite.rows] = finite.edges
    mending.set_boxes(COORDINATES_FRACTIONS, finite.rows, fractions * np.tile(finite.edges, 2), why)
    return True


def _convert_percent(mending: Mending, finite: _Boxes) -> bool:
    if mending.form is yolo:  # its reader has converted them, to read on
        return True
    factors = finite.edges / 100
    mending.factors[finite.rows] = factors
    boxes = finite.boxes.copy()
    boxes[:, :2] += corner_offset(mending.labels)
    why = "percent of the photo, now pixels"
    mending.set_boxes(COORDINATES_PERCENT, finite.rows, boxes * np.tile(factors, 2), why)
    return True


def _exchange_x_and_y(mending: Mending, finite: _Boxes) -> bool:
    """Exchange x and y of all boxes; returns whether they were exchanged. They are not in two cases.

    - The boxes lie in their photos as they are: x and y were exchanged as fractions of the photo, so that
      exchanging pixels would not restore them.
    - The labels do not declare the sizes of the photos: the photos may have been rotated after labeling,
      which moves boxes to other places.
    """
    labels, sizes = mending.labels, mending.examination.sizes.tolist()
    used = set(labels.photo_of[finite.rows].tolist())
    if fit_as_fractions(finite.boxes / np.tile(finite.edges, 2)):
        return False
    if any(labels.photos[photo].declared_size != tuple(sizes[photo]) for photo in used):
        return False
    mending.exchanged = True
    boxes = finite.boxes[:, [1, 0, 3, 2]]
    mending.set_boxes(COORDINATES_EXCHANGED, finite.rows, boxes, "x and y were exchanged")
    return True
