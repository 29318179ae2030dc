"""Families of learning curves: the error of a model as a function of the number of labeled photos.

Mahmood et al., "How much more data do I need? Estimating requirements for downstream tasks", CVPR 2022
(arXiv:2207.01725): no family fits every data set, and extrapolations of a single one are too optimistic. So
four families with the same quantities compete.

    error at n photos = floor + (level - floor) * shape(n / reference)        floor = floor_share * level

Each shape is 1 at the reference and falls from there; it differs in how fast the gains shrink. The error is
1 - metric, and never more than 1.

    power law     x^-slope                     the usual form, a n^-b + c
    logistic      of log x, with 1 at x = 0    flat below a minimum number of photos, then like the power law
    exponential   exp(-slope (x - 1))          no gain soon after the reference
    flat          1                            more photos bring nothing

Beyond the reference, the slope may be another: no training tells whether a curve bends there.

P: parameter sets, N: numbers of photos.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

FAMILIES = ("power law", "logistic", "exponential", "flat")

_MAX_EXPONENT = 50.0  # exp stays finite

Column = Float[np.ndarray, "P 1"]
Matrix = Float[np.ndarray, "P N"]
Row = Float[np.ndarray, "1 N"]


def errors_at(
    family: Int[np.ndarray, " P"],
    level: Float[np.ndarray, " P"],
    floor_share: Float[np.ndarray, " P"],
    slope: Float[np.ndarray, " P"],
    ratio: Float[np.ndarray, " N"],
    bend: Float[np.ndarray, " P"] | None = None,
) -> Float[np.ndarray, "P N"]:
    """The error of each curve at each number of photos: (P,) four times, (N,) -> (P, N).

    level: the error at the reference
    ratio: numbers of photos over the reference
    bend:  factor of the slope beyond the reference; 1 by default
    """
    errors, slopes = np.empty((len(level), len(ratio))), np.repeat(slope[:, None], len(ratio), axis=1)
    if bend is not None:
        slopes = np.where(ratio[None] > 1, slopes * bend[:, None], slopes)
    for number, shape in enumerate(_SHAPES):
        chosen = family == number
        levels = level[chosen, None]
        floors = floor_share[chosen, None] * levels
        errors[chosen] = shape(levels, floors, slopes[chosen], ratio[None])
    return np.clip(errors, 0.0, 1.0)


def _power_law(level: Column, floor: Column, slope: Matrix, ratio: Row) -> Matrix:
    return np.asarray(floor + (level - floor) * ratio**-slope)


def _logistic(level: Column, floor: Column, slope: Matrix, ratio: Row) -> Matrix:
    best = 1.0 - floor  # of the metric
    odds = (level - floor) / np.maximum(
        1.0 - level, 1e-9
    )  # of the gain still to come against the gain so far
    return np.asarray(1.0 - best / (1.0 + odds * ratio**-slope))


def _exponential(level: Column, floor: Column, slope: Matrix, ratio: Row) -> Matrix:
    exponent = np.minimum(-slope * (ratio - 1.0), _MAX_EXPONENT)
    return np.asarray(floor + (level - floor) * np.exp(exponent))


def _flat(level: Column, floor: Column, slope: Matrix, ratio: Row) -> Matrix:
    return np.asarray(level + 0.0 * ratio)


_SHAPES: tuple[Callable[[Column, Column, Matrix, Row], Matrix], ...] = (
    _power_law,
    _logistic,
    _exponential,
    _flat,
)
