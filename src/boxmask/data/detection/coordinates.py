"""Coordinates of another kind in the whole data set, such as fractions of the photo.

A model would learn them, and its metrics would look good, because they are measured on the same labels. They
are not converted, because other programs would read other boxes from the same file.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from boxmask.data.detection.box_checks import OVERHANG, are_fractions
from boxmask.data.detection.photo_sizes import edges_of
from boxmask.data.findings import Finding, Findings, Kind
from boxmask.data.formats.labels import Labels

_MIN_BOXES = 3
"""Fewer boxes may reach beyond their photos by accident."""

OVERHANG_OF_FRACTIONS = 0.01
"""`OVERHANG` for labels in fractions of photos whose size is unknown."""

COORDINATES_FRACTIONS = Kind(
    "coordinates-fractions",
    "error",
    "Boxes in fractions of the photo instead of pixels",
    "Multiply x and the width by the width of the photo, y and the height by its height. If x and y are the "
    "center of the box, as in YOLO, subtract half of its width and height first.",
)
COORDINATES_CORNERS = Kind(
    "coordinates-corners",
    "error",
    "Boxes written as corners instead of width and height",
    "These boxes reach beyond their photos, but fit as [x1, y1, x2, y2]. COCO's bbox is [x, y, width, "
    "height]: subtract x from the third value, and y from the fourth. YOLO and CreateML write the "
    "center of a box, then its width and height.",
)


def check_coordinates(
    labels: Labels, sizes: NDArray[np.int32], findings: Findings, unknown_edge: float = np.inf
) -> bool:
    """Find labels whose boxes are all in fractions of the photo, or corners instead of width and height.

    sizes:        (P, 2) heights and widths of the photos as shown, or `UNKNOWN_SIZE`
    unknown_edge: see `check_boxes`

    Returns whether the coordinates may be right.
    """
    rows = np.flatnonzero(np.isfinite(labels.boxes).all(axis=1) & (labels.extents > 0).all(axis=1))
    if labels.box_form == "mask" or not len(rows):
        return True
    edges = edges_of(sizes, unknown_edge)[labels.photo_of[rows]]
    kind = None
    if are_fractions(labels.boxes[rows], edges).all():
        kind = COORDINATES_FRACTIONS
    elif labels.box_form in ("xywh", "center") and _are_corners(labels, rows, edges):
        kind = COORDINATES_CORNERS
    if kind is None:
        return True
    findings.add_all(kind, rows.tolist(), lambda row: _describe(labels, kind, row))
    return False


def _are_corners(labels: Labels, rows: NDArray[np.int64], edges: Float[np.ndarray, "M 2"]) -> bool:
    """Whether all boxes x, y, width, height fit as x1, y1, x2, y2, and most do not fit as they are.

    x and y are those of the top left corner or of the center.
    """
    is_known = np.isfinite(edges).all(axis=1)
    rows, edges = rows[is_known], edges[is_known]
    overhang = np.where(edges > 1, OVERHANG, OVERHANG_OF_FRACTIONS)
    edges = edges + overhang
    boxes, extents = labels.boxes[rows], labels.extents[rows]
    points = boxes[:, :2] + (extents / 2 if labels.box_form == "center" else 0)
    beyond = ((boxes[:, 2:] > edges) | (boxes[:, :2] < -overhang)).any(axis=1)
    fit_as_corners = ((extents > points) & (extents <= edges) & (points >= -overhang)).all(axis=1)
    return len(rows) >= _MIN_BOXES and bool(beyond.mean() > 0.5) and bool(fit_as_corners.all())


def _describe(labels: Labels, kind: Kind, row: int) -> Finding:
    x1, y1, x2, y2 = labels.boxes[row]
    name, photo = labels.class_names[labels.labels[row]], labels.photos[labels.photo_of[row]]
    detail = f"{name} in {photo.file}: x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"
    return Finding(kind, labels.location(row), detail, photo.file)
