"""Guess the size of the copies that labels are made on.

The labels of a data set show for which sizes they are made: they fill them, and do not reach beyond. Three
kinds of copies are compared: all photos scaled by one factor, all to the same longer side, and all to one
size. The smallest copies that hold the labels explain them best: the smaller a part of a photo is, the less
often a box lies in it by chance.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from boxmask.data.detection.box_checks import MAX_BAD_BOX_SHARE

MIN_ISOTROPY = 0.92
"""Width and height are scaled by one factor if the smaller of their factors is at least this share of the
larger one."""

MIN_GAIN = 0.1
"""Copies of another kind explain labels better only if they are smaller by this, as the mean logarithm of the
areas."""

MIN_SQUARE = 0.95
"""Copies of one size are square if the shorter side is at least this share of the longer one."""

PERCENT = (80.0, 100.5)
"""Copies whose width and height lie in this range are no copies: their labels are in percent."""

MAX_ROUNDING = 1.03
"""Labels seldom reach the edge of the copies exactly. Within this factor, a round number is their size."""

# fmt: off
_ROUND_SIDES = (
    100, 128, 150, 160, 200, 224, 240, 256, 300, 320, 352, 384, 400, 416, 448, 480, 500, 512, 600, 608, 640,
    672, 700, 720, 736, 768, 800, 832, 896, 960, 1000, 1024, 1080, 1200, 1280, 1333, 1500, 1536, 1600, 1920,
    2000, 2048, 2560, 3000, 3840, 4000,
)
# fmt: on


@dataclass(frozen=True)
class ResizedCopies:
    """The copies that labels are made on.

    edges:     (M, 2) width and height of the copy of each box
    log_areas: (P,) logarithm of the area of each copy, divided by that of its photo
    size:      width and height, if they are the same for all copies
    form:      "copies of 640 × 640 pixels"
    remedy:    how to change the coordinates
    """

    edges: Float[np.ndarray, "M 2"]
    log_areas: Float[np.ndarray, " P"]
    size: tuple[float, float] | None
    form: str
    remedy: str

    @property
    def is_percent(self) -> bool:
        """Whether the labels are in percent."""
        return self.size is not None and all(PERCENT[0] <= side <= PERCENT[1] for side in self.size)


def find_resized_copies(
    boxes: Float[np.ndarray, "M 4"], edges: Float[np.ndarray, "M 2"], photo_of: Int[np.ndarray, " M"]
) -> ResizedCopies:
    """The copies that explain boxes best.

    edges:    width and height of the photo of each box
    photo_of: the photo of each box
    """
    _, firsts = np.unique(photo_of, return_index=True)  # a box of each photo
    size = _one_size(boxes, edges, firsts)
    best = size
    for copies in (_same_longer_side(boxes, edges, firsts), _one_factor(boxes, edges, firsts)):
        if copies and copies.log_areas.mean() < best.log_areas.mean() + MIN_GAIN:
            best = copies
    is_percent = size.is_percent and size.log_areas.mean() < best.log_areas.mean() + MIN_GAIN
    return size if is_percent else best


def _one_factor(
    boxes: Float[np.ndarray, "M 4"], edges: Float[np.ndarray, "M 2"], firsts: Int[np.ndarray, " P"]
) -> ResizedCopies | None:
    factors = _reach(boxes[:, 2:] / edges)
    if factors.min() < MIN_ISOTROPY * factors.max():
        return None
    factor = _round_factor(float(factors.max()))
    form = f"copies {factor:.4g} times as large as the photos"
    change = f"divide all coordinates by {factor:.4g}"
    if factor < 1:
        change = f"multiply all coordinates by {1 / factor:.4g}"
    return ResizedCopies(edges * factor, np.full(len(firsts), 2 * np.log(factor)), None, form, change)


def _same_longer_side(
    boxes: Float[np.ndarray, "M 4"], edges: Float[np.ndarray, "M 2"], firsts: Int[np.ndarray, " P"]
) -> ResizedCopies | None:
    longer = edges.max(axis=1, keepdims=True)
    sides = _reach(boxes[:, 2:] / edges * longer)
    if sides.min() < MIN_ISOTROPY * sides.max():
        return None
    side = _round_side(float(sides.max()))
    copies = edges / longer * side
    return ResizedCopies(
        copies,
        np.log(copies / edges)[firsts].sum(axis=1),
        None,
        f"copies with a longer side of {side:.4g} pixels",
        f"multiply all coordinates by the longer side of the photo and divide by {side:.4g}",
    )


def _one_size(
    boxes: Float[np.ndarray, "M 4"], edges: Float[np.ndarray, "M 2"], firsts: Int[np.ndarray, " P"]
) -> ResizedCopies:
    reach = _reach(boxes[:, 2:])
    if reach.min() >= MIN_SQUARE * reach.max():
        reach[:] = reach.max()
    width, height = (_round_side(side) for side in reach.tolist())
    copies = np.broadcast_to(np.array([width, height]), edges.shape)
    return ResizedCopies(
        copies,
        np.log(copies / edges)[firsts].sum(axis=1),
        (width, height),
        f"copies of {width:.4g} × {height:.4g} pixels",
        f"multiply x and width by the width of the photo and divide by {width:.4g}; multiply y and height by "
        f"the height of the photo and divide by {height:.4g}",
    )


def _reach(values: Float[np.ndarray, "M 2"]) -> NDArray[np.float64]:
    """How far values reach in x and y, without a few that are wrong."""
    return np.asarray(np.quantile(values, 1 - MAX_BAD_BOX_SHARE, axis=0, method="higher"))


def _round_factor(factor: float) -> float:
    """The factor, or its inverse if it is below 1, as the next multiple of 1/4 beyond it, if that is near."""
    rounded = np.ceil(4 * factor - 0.001) / 4 if factor >= 1 else 4 / np.floor(4 / factor + 0.001)
    return float(rounded) if rounded <= MAX_ROUNDING * factor else factor


def _round_side(side: float) -> float:
    index = bisect_left(_ROUND_SIDES, side - 0.5)
    rounded = _ROUND_SIDES[index] if index < len(_ROUND_SIDES) else side
    return float(rounded) if rounded <= MAX_ROUNDING * side else side
