"""The boxes that have a size and a place, so that statistics of boxes can use them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from boxmask.data.checks.examination import Examination
from boxmask.data.detection.photo_sizes import edges_of
from boxmask.data.findings import Findings


def sound_boxes(examination: Examination) -> Bool[np.ndarray, " N"]:
    """Whether each box is finite, has a width and a height, and lies at least partly inside its photo."""
    labels = examination.labels
    edges = photo_edges(examination)
    boxes = labels.boxes
    with np.errstate(invalid="ignore"):  # comparisons with NaN are False
        inside = (boxes[:, :2] < edges).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)
        has_sides = (boxes[:, 2:] > boxes[:, :2]).all(axis=1) & (labels.extents > 0).all(axis=1)
    return np.asarray(np.isfinite(boxes).all(axis=1) & inside & has_sides)


def photo_edges(examination: Examination) -> Float[np.ndarray, "N 2"]:
    """Width and height of the photo of each object; infinite where they are unknown.

    They are unknown where the photo is missing, or not opened, and its labels declare no size.
    """
    return edges_of(examination.sizes)[examination.labels.photo_of]


def has_declared_size(examination: Examination) -> Bool[np.ndarray, " P"]:
    """Whether each photo has the size that its labels declare, or they declare none."""
    declared = [
        photo.declared_size or size
        for photo, size in zip(examination.labels.photos, examination.sizes.tolist(), strict=True)
    ]
    return np.asarray((np.array(declared).reshape(-1, 2) == examination.sizes).all(axis=1))


def are_boxes_drawn(examination: Examination) -> bool:
    """Whether somebody drew the boxes. Boxes around masks or whole photos are right by definition."""
    return examination.labels.box_form != "mask"


def has_wrong_coordinates(findings: Findings) -> bool:
    """Whether the coordinates of all boxes are known to be wrong, so that sizes and places tell nothing."""
    return any(kind.id.startswith("coordinates-") or kind.id == "exif-sideways" for kind in findings.kinds)
