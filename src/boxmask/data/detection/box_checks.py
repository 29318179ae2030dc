"""Boxes that cannot be trained on: without a size, or outside their photo."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from boxmask.data.detection.photo_sizes import UNKNOWN_SIZE, edges_of
from boxmask.data.findings import Finding, Findings, Kind
from boxmask.data.formats.labels import Labels

MAX_BAD_BOX_SHARE = 0.01
"""Bad boxes are skipped by default while they are less than this share of all boxes of the data set."""

OVERHANG = 1.0
"""Pixels that a box may reach beyond its photo without a note, because some tools count from 1, not 0."""

_FAR = 1e9
"""A coordinate this far away, in pixels, is damage. Formats in percent could not hold the largest numbers."""

_MIN_SIDE = 8
"""Photos must be larger than this, in pixels, for boxes within their first pixel to be fractions."""

HOW_TO_CHECK_BOXES = "to see them, write the page of boxmask check DATA --html FILE"

BOX_EMPTY = Kind(
    "box-empty",
    "error",
    "Boxes without area",
    "Remove these boxes, or draw the objects. A click without a drag leaves such a box.",
)
BOX_INVERTED = Kind(
    "box-inverted",
    "error",
    "Inverted boxes",
    "Their right edge lies left of the left edge, or the lower edge above the upper edge. Exchange the "
    "two coordinates, or draw the objects again.",
)
BOX_NOT_FINITE = Kind(
    "box-not-finite",
    "error",
    "Boxes with coordinates that are not finite numbers",
    "Draw these objects again, or remove them.",
)
BOX_OUTSIDE = Kind(
    "box-outside",
    "error",
    "Boxes outside their photo",
    "Check that the labels belong to these photos. Then draw the objects again, or remove them.",
)
BOX_IN_FRACTIONS = Kind(
    "box-in-fractions",
    "error",
    "Boxes in fractions among boxes in pixels",
    "Write these boxes in pixels, as the others.",
)
BOX_BEYOND_EDGE = Kind(
    "box-beyond-edge",
    "warning",
    "Boxes that reach beyond their photo",
    "boxmask uses the part inside the photo. If these boxes are wrong, draw them again.",
)
OnBadBoxes = Literal["error", "skip"]
"""What to do with bad boxes: stop at the first, or skip all of them.

`None` skips them below `MAX_BAD_BOX_SHARE` and stops otherwise.
"""

BAD_BOXES = (BOX_EMPTY, BOX_INVERTED, BOX_NOT_FINITE, BOX_OUTSIDE, BOX_IN_FRACTIONS)
"""Nothing can be learned from these."""


def check_boxes(
    labels: Labels,
    sizes: NDArray[np.int32],
    findings: Findings,
    misplaced: Bool[np.ndarray, " P"] | None = None,
    unknown_edge: float = np.inf,
) -> tuple[Float[np.ndarray, "N 4"], Bool[np.ndarray, " N"]]:
    """Clip boxes to their photos, and find bad ones and those that reach beyond their photo.

    sizes:        (P, 2) heights and widths of the photos as shown, or `UNKNOWN_SIZE`
    misplaced:    the photos whose boxes are known to be in the wrong place; places are not checked there
    unknown_edge: right and lower edge of photos of unknown size: 1 for labels in fractions

    Returns the clipped boxes (N, 4), and which boxes are good (N,).
    """
    edges = edges_of(sizes, unknown_edge)[labels.photo_of]
    clipped = np.clip(labels.boxes, 0, np.tile(edges, 2)).astype(np.float32)
    visible = np.asarray((clipped[:, 2:] > clipped[:, :2]).all(axis=1))  # False for NaN
    bad = _by_kind(labels, edges, visible)
    good = ~np.logical_or.reduce(list(bad.values()))
    in_place = np.ones(len(good), dtype=bool) if misplaced is None else ~misplaced[labels.photo_of]
    for kind, is_bad in bad.items():
        shown = is_bad & in_place if kind in (BOX_OUTSIDE, BOX_IN_FRACTIONS) else is_bad
        _add(labels, np.flatnonzero(shown), kind, partial(_reason, labels, sizes, kind), findings)
    beyond = reach_beyond(labels.boxes, edges[:, ::-1]) & good & in_place
    _add(labels, np.flatnonzero(beyond), BOX_BEYOND_EDGE, partial(_reach, labels, sizes), findings)
    return clipped, good


def are_fractions(
    boxes: NDArray[np.float64], photo_sizes: NDArray[np.int32] | NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(N,) whether each box lies within the first pixel of its photo, as coordinates of 0 to 1 do.

    boxes:       (N, 4) continuous edges; VOC's, which count pixels from 1, are moved by -1
    photo_sizes: (N, 2) of each box's photo
    """
    within = (boxes >= -1).all(axis=1) & (boxes <= 1).all(axis=1)
    return np.asarray(within & (photo_sizes > _MIN_SIDE).all(axis=1))


_TOLERANCE = 0.005
"""Fractions may lie this far outside of 0 to 1, because they are rounded."""

_MAX_MISFITS = 0.01
"""This share of the boxes need not fit."""


def fit_as_fractions(fractions: Float[np.ndarray, "N 4"]) -> bool:
    """Whether boxes in fractions lie in their photos, all but a few. Boxes must be finite to count."""
    finite = fractions[np.isfinite(fractions).all(axis=1)]
    outside = ((finite < -_TOLERANCE) | (finite > 1 + _TOLERANCE)).any(axis=1)
    return bool(len(finite)) and float(outside.mean()) <= _MAX_MISFITS


def reach_beyond(
    boxes: NDArray[np.float64], photo_sizes: NDArray[np.int32] | NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(N,) whether each box reaches beyond its photo by more than OVERHANG. False for NaN.

    photo_sizes: (N, 2) of each box's photo
    """
    edges = photo_sizes[:, [1, 0, 1, 0]]
    return np.asarray(((boxes < -OVERHANG) | (boxes > edges + OVERHANG)).any(axis=1))


def _by_kind(
    labels: Labels, edges: Float[np.ndarray, "N 2"], visible: Bool[np.ndarray, " N"]
) -> dict[Kind, Bool[np.ndarray, " N"]]:
    """Which boxes are bad, each of one kind only."""
    extents = labels.extents
    missing = np.isnan(labels.boxes).all(axis=1)
    not_finite = ~np.isfinite(labels.boxes).all(axis=1) & ~missing
    inverted = (extents < 0).any(axis=1) & ~not_finite
    empty = missing | (~(extents > 0).all(axis=1) & ~not_finite & ~inverted)
    rest = ~(not_finite | inverted | empty)
    broken = (np.floor(extents) != extents).any(axis=1)
    fractions = rest & are_fractions(labels.boxes, edges) & broken & (labels.box_form != "mask")
    far = (np.abs(labels.boxes) > _FAR).any(axis=1)
    outside = rest & ~fractions & (~visible | far)
    return {
        BOX_EMPTY: empty,
        BOX_INVERTED: inverted,
        BOX_NOT_FINITE: not_finite,
        BOX_OUTSIDE: outside,
        BOX_IN_FRACTIONS: fractions,
    }


# ---------------------------------------------------------------- findings


def _add(
    labels: Labels, rows: NDArray[np.int64], kind: Kind, reason: Callable[[int], str], findings: Findings
) -> None:
    def describe(row: int) -> Finding:
        photo = labels.photos[labels.photo_of[row]].file
        name = labels.class_names[labels.labels[row]]
        x1, y1, x2, y2 = labels.boxes[row].tolist()
        box = (x1, y1, x2, y2) if np.isfinite(labels.boxes[row]).all() else None
        return Finding(kind, labels.location(row), f"{name} in {photo} {reason(row)}", photo, box)

    findings.add_all(kind, rows.tolist(), describe)


def _reason(labels: Labels, sizes: NDArray[np.int32], kind: Kind, row: int) -> str:
    """What is wrong with a bad box."""
    width, height = labels.extents[row]
    photo = labels.photo_of[row]
    if np.isnan(labels.boxes[row]).all():
        return "has no box, and no mask to compute one from"
    if not np.isfinite(labels.boxes[row]).all():
        return f"has a coordinate that is not finite: {_place(labels, row)}"
    if not (width > 0 and height > 0):
        click = " (a click without a drag?)" if width == 0 == height else ""
        return f"is {width:g} wide and {height:g} high; expected more than 0{click}"
    if kind is BOX_IN_FRACTIONS:
        return f"lies within the first pixel: {_place(labels, row)}, not in pixels"
    return f"lies outside {_describe_photo(sizes[photo])}: {_place(labels, row)}"


def _reach(labels: Labels, sizes: NDArray[np.int32], row: int) -> str:
    return f"reaches beyond {_describe_photo(sizes[labels.photo_of[row]])}: {_place(labels, row)}"


def _describe_photo(size: NDArray[np.int32]) -> str:
    height, width = size.tolist()
    return f"its photo of {width} × {height} pixels" if (height, width) != UNKNOWN_SIZE else "its photo"


def _place(labels: Labels, row: int) -> str:
    x1, y1, x2, y2 = labels.boxes[row]
    return f"x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"
