"""Convert boxes whose four numbers have another meaning than their format gives them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from boxmask.data.checks.sound_boxes import photo_edges
from boxmask.data.detection.box_checks import MAX_BAD_BOX_SHARE, reach_beyond
from boxmask.data.detection.box_forms import (
    COORDINATES_CENTERS,
    COORDINATES_CORNERS,
    COORDINATES_SIZES,
    COORDINATES_UPPER_LEFT,
    from_center,
    from_upper_left,
)
from boxmask.data.findings import Kind
from boxmask.data.formats import coco
from boxmask.doctor.fix.boxes import is_around_outline
from boxmask.doctor.fix.mending import Mending

_Rows = Int[np.ndarray, " M"]


def mend_box_forms(mending: Mending) -> None:
    """Convert corners, sizes and centers that stand in place of each other, if that was found."""
    conversions: dict[Kind, Callable[[Mending, _Rows], bool]] = {
        COORDINATES_CORNERS: _convert_corners,
        COORDINATES_SIZES: _convert_sizes,
        COORDINATES_CENTERS: _convert_centers,
        COORDINATES_UPPER_LEFT: _convert_upper_left,
    }
    for kind, convert in conversions.items():
        if mending.has(kind) and convert(mending, _written_rows(mending)):
            mending.decided.add(kind)


def _written_rows(mending: Mending) -> _Rows:
    """The finite boxes that the labels write. Only COCO writes boxes beside outlines."""
    labels = mending.labels
    rows = np.flatnonzero(np.isfinite(labels.boxes).all(axis=1))
    if labels.outline is None or mending.form is coco:
        return rows
    return np.array([row for row in rows.tolist() if not is_around_outline(labels, row)], dtype=np.int64)


def _convert_corners(mending: Mending, rows: _Rows) -> bool:
    """Take width and height as the lower right corner. The upper left one is x, y as written."""
    labels = mending.labels
    points = labels.boxes[rows, :2]
    if labels.box_form == "center":
        points = points + labels.extents[rows] / 2
    boxes = np.concatenate([points, labels.extents[rows]], axis=1)
    mending.set_boxes(COORDINATES_CORNERS, rows, boxes, "corners, now x, y, width and height")
    return True


def _convert_sizes(mending: Mending, rows: _Rows) -> bool:
    """Take the lower right corner as width and height; returns whether only one place of x and y fits."""
    written = mending.labels.boxes[rows]
    upper_left, center = from_upper_left(written), from_center(written)
    fit_upper_left, fit_center = _fit(mending, rows, upper_left), _fit(mending, rows, center)
    if fit_upper_left == fit_center:
        return False
    boxes = upper_left if fit_upper_left else center
    mending.set_boxes(COORDINATES_SIZES, rows, boxes, "width and height, now the lower right corner")
    return True


def _fit(mending: Mending, rows: _Rows, boxes: Float[np.ndarray, "M 4"]) -> bool:
    edges = photo_edges(mending.examination)[rows]
    return bool(reach_beyond(boxes, edges[:, ::-1]).mean() <= MAX_BAD_BOX_SHARE)


def _convert_centers(mending: Mending, rows: _Rows) -> bool:
    """Take x and y as the center."""
    _shift(mending, COORDINATES_CENTERS, rows, -0.5, "the center, now the upper left corner")
    return True


def _convert_upper_left(mending: Mending, rows: _Rows) -> bool:
    """Take x and y as the upper left corner."""
    _shift(mending, COORDINATES_UPPER_LEFT, rows, 0.5, "the upper left corner, now the center")
    return True


def _shift(mending: Mending, kind: Kind, rows: _Rows, share: float, why: str) -> None:
    """Move boxes by a share of their width and height."""
    boxes = mending.labels.boxes[rows] + share * np.tile(mending.labels.extents[rows], 2)
    mending.set_boxes(kind, rows, boxes, why)
