"""Labels in fractions of the photo, such as YOLO's, whose x and y are exchanged.

Exchanged fractions fit every photo, but give boxes a wrong shape. Objects have the same shapes in wide and in
tall photos, or follow the shape of the photo a little, because people turn the camera. If w and h are the
sides of an object, and W and H those of its photo, log(w / h) = a + s · log(W / H), with s from 0 to 1. The
slope s is 1 if objects fill their photos. Exchanged fractions give the sides W · h / H and H · w / W, and so
the slope 2 - s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.exchanged_coordinates import COORDINATES_EXCHANGED
from boxmask.data.checks.object_findings import object_finding
from boxmask.data.checks.sound_boxes import (
    are_boxes_drawn,
    has_wrong_coordinates,
    photo_edges,
    sound_boxes,
)
from boxmask.data.findings import Finding, Findings

MIN_SLOPE = 1.25
"""Slopes of sound labels are no larger, even with objects that fill their photos."""

MIN_CERTAINTY = 3.0
"""The slope must exceed `MIN_SLOPE` by this many standard errors."""

MIN_PHOTOS = 10
"""Fewer photos show no slope."""

MAX_LEVERAGE = 0.25
"""No photo may decide more than this part of the slope, such as the only panorama."""


_NO_SPREAD = 1e-6
"""Sums of squares below this are rounding errors of photos of one shape."""


@dataclass(frozen=True, slots=True)
class _Slope:
    """How the shape of boxes follows the shape of photos. The error is the standard error."""

    value: float
    error: float
    num_photos: int


def check_exchanged_fractions(examination: Examination, findings: Findings) -> None:
    """Find labels whose boxes follow the shape of their photos more than objects do."""
    if has_wrong_coordinates(findings) or not are_boxes_drawn(examination):
        return
    labels, edges = examination.labels, photo_edges(examination)
    rows = np.flatnonzero(sound_boxes(examination) & np.isfinite(edges).all(axis=1) & ~labels.crowd)
    if not len(rows):
        return
    sides = labels.boxes[rows, 2:] - labels.boxes[rows, :2]
    shapes = np.log(sides[:, 0] / sides[:, 1])
    photo_shapes = np.log(edges[rows, 0] / edges[rows, 1])
    slope = _slope(shapes, photo_shapes, labels.labels[rows], labels.photo_of[rows])
    if slope is None or slope.value - MIN_CERTAINTY * slope.error < MIN_SLOPE:
        return
    row = int(rows[np.argmax(np.abs(photo_shapes))])
    finding = object_finding(labels, COORDINATES_EXCHANGED, row, "is such a box")
    detail = (
        "boxes are wide in wide photos and tall in tall photos, as fractions of the photo with x and y "
        f"exchanged are (slope {slope.value:.2f} ± {slope.error:.2f} in {slope.num_photos:,} photos; at most "
        f"1 is usual); {finding.detail}"
    )
    findings.add(Finding(finding.kind, finding.location, detail, finding.photo, finding.box))


def _slope(
    shapes: Float[np.ndarray, " M"],
    photo_shapes: Float[np.ndarray, " M"],
    labels: Int[np.ndarray, " M"],
    photo_of: Int[np.ndarray, " M"],
) -> _Slope | None:
    """The slope of the shapes of boxes over the shapes of their photos; None if the photos show none.

    Each class has its own mean shape, and the boxes of a photo count as one, because they may be alike.
    """
    y, x = (values - _means(values, labels)[labels] for values in (shapes, photo_shapes))
    photos, numbers = np.unique(photo_of, return_inverse=True)
    y, x = _means(y, numbers), _means(x, numbers)
    squares = x * x
    total = float(squares.sum())
    if len(photos) < MIN_PHOTOS or total < _NO_SPREAD or squares.max() > MAX_LEVERAGE * total:
        return None
    value = float((x * y).sum()) / total
    variance = float(((y - value * x) ** 2).sum()) / (len(photos) - 2)
    return _Slope(value, float(np.sqrt(variance / total)), len(photos))


def _means(values: Float[np.ndarray, " M"], groups: Int[np.ndarray, " M"]) -> Float[np.ndarray, " G"]:
    """The mean of each group, 0 for an empty one."""
    counts = np.bincount(groups)
    return np.asarray(np.bincount(groups, values) / np.maximum(counts, 1))
