"""Coordinates of another kind in the whole data set, such as fractions of the photo.

A model would learn them, and its metrics would look good, because they are measured on the same labels. They
are not converted, because other programs would read other boxes from the same file.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from boxmask.data.detection.box_checks import are_fractions
from boxmask.data.detection.box_forms import find_other_form
from boxmask.data.detection.photo_sizes import edges_of
from boxmask.data.findings import Finding, Findings, Kind
from boxmask.data.formats.labels import Labels

COORDINATES_FRACTIONS = Kind(
    "coordinates-fractions",
    "error",
    "Boxes in fractions of the photo instead of pixels",
    "Multiply x and the width by the width of the photo, y and the height by its height. If x and y are the "
    "center of the box, as in YOLO, subtract half of its width and height first.",
)


def check_coordinates(
    labels: Labels,
    sizes: NDArray[np.int32],
    findings: Findings,
    is_written: Bool[np.ndarray, " N"],
    unknown_edge: float = np.inf,
) -> bool:
    """Find labels whose boxes are all in fractions of the photo, or in the form of another format.

    sizes:        (P, 2) heights and widths of the photos as shown, or `UNKNOWN_SIZE`
    is_written:   which boxes the labels write; the others were computed from outlines
    unknown_edge: see `check_boxes`

    Returns whether the coordinates may be right.
    """
    is_finite = np.isfinite(labels.boxes).all(axis=1)
    rows = np.flatnonzero(is_finite & (labels.extents > 0).all(axis=1))
    if labels.box_form == "mask" or not is_finite.any():
        return True
    edges = edges_of(sizes, unknown_edge)[labels.photo_of[rows]]
    if len(rows) and are_fractions(labels.boxes[rows], edges).all():
        findings.add_all(COORDINATES_FRACTIONS, rows.tolist(), lambda row: _describe(labels, row))
        return False
    written = np.flatnonzero(is_finite & is_written & _are_drawn_on(labels, sizes)[labels.photo_of])
    finding = find_other_form(labels, written, sizes, unknown_edge)
    if finding is not None:
        findings.add(finding)
    return finding is None


def _are_drawn_on(labels: Labels, sizes: NDArray[np.int32]) -> Bool[np.ndarray, " P"]:
    """Whether each photo has the size that its labels declare, or they declare none."""
    pairs = zip(labels.photos, sizes.tolist(), strict=True)
    return np.array([photo.declared_size in (None, tuple(size)) for photo, size in pairs], dtype=bool)


def _describe(labels: Labels, row: int) -> Finding:
    x1, y1, x2, y2 = labels.boxes[row]
    name, photo = labels.class_names[labels.labels[row]], labels.photos[labels.photo_of[row]]
    detail = f"{name} in {photo.file}: x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"
    return Finding(COORDINATES_FRACTIONS, labels.location(row), detail, photo.file)
