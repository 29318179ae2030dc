"""The areas in COCO annotations, which decide whether an object counts as small, medium or large."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from boxmask.data.findings import Finding, Findings, Kind, Location

AREA_WRONG = Kind(
    "area-wrong",
    "warning",
    "Areas that contradict their boxes",
    "boxmask computes the areas from masks or boxes instead. Correct these areas, or remove them: "
    "other programs use them.",
)

_MAX_EXCESS = 1.01
"""An area may exceed its box by a pixel per side and by rounding, because masks consist of whole pixels."""

_MAX_SIDE = 1e12
"""The largest width and height of a box; areas of larger ones would overflow."""

_MIN_FILLED = 0.05
"""Objects fill about half of their box. Areas that all fill less than this share of it are wrong."""


def check_areas(
    declared: Float[np.ndarray, " N"],
    boxes_xywh: Float[np.ndarray, "N 4"],
    outline_area: Callable[[int], float],
    location: Callable[[int], Location],
    findings: Findings,
) -> Float[np.ndarray, " N"]:
    """Replace the areas of one file that contradict their boxes by NaN, so that they are computed anew.

    declared:     NaN for a missing area
    outline_area: the largest area that the outline of annotation n can have; 0 without one
    location:     file and line of annotation n

    The annotations are added to the findings. An area is wrong if it is not finite, not above 0, or larger
    than its box and its outline. All are wrong if each is tiny against its box, or if boxes of different
    sizes have the same area.
    """
    given = ~np.isnan(declared)
    width, height = np.minimum(np.abs(boxes_xywh[:, 2:]), _MAX_SIDE).T  # NaN stays
    largest = (width + 1) * (height + 1) * _MAX_EXCESS  # NaN for a missing box
    wrong = given & (~np.isfinite(declared) | (declared <= 0) | (declared > largest))
    for row in np.flatnonzero(wrong & np.isfinite(declared) & (declared > 0)).tolist():
        wrong[row] = (
            not declared[row] <= outline_area(row) * _MAX_EXCESS
        )  # else the box is wrong, not the area
    reason = "not above 0 and at most as large as the box"
    plausible = given & ~wrong & (width * height > 0)
    if _are_implausible(declared[plausible], (width * height)[plausible]):
        wrong, reason = wrong | plausible, "the areas contradict the boxes of the whole file"

    def describe(row: int) -> Finding:
        return Finding(AREA_WRONG, location(row), f"area {declared[row]:g}: {reason}")

    findings.add_all(AREA_WRONG, np.flatnonzero(wrong).tolist(), describe)
    return np.where(wrong, np.nan, declared)


def _are_implausible(areas: NDArray[np.float64], box_areas: NDArray[np.float64]) -> bool:
    """Whether areas that are possible one by one are wrong as a whole."""
    if not len(areas):
        return False
    all_tiny = bool((areas < _MIN_FILLED * box_areas).all())
    all_equal = len(areas) > 2 and areas.min() == areas.max() and box_areas.max() > 2 * box_areas.min()
    return all_tiny or bool(all_equal)
