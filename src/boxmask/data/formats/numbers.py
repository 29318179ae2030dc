"""Numbers as label files hold them: exact, and whole numbers without a fraction."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

_MAX_WHOLE = 2**53
"""Up to here, floats hold every whole number."""

_DECIMALS = 9
"""Decimals of a pixel that are kept of computed coordinates. They are exact to about 12 decimals."""
_MAX_TIDY = 2**20
"""Larger coordinates are not those of photos, and have fewer exact decimals."""


def short_number(value: float) -> int | float:
    """A whole number as int; any other as the float itself, whose text is the shortest that is exact."""
    value = float(value)
    return int(value) if value.is_integer() and abs(value) < _MAX_WHOLE else value


def extent(low: float, high: float) -> float:
    """The number nearest to high − low for which low + extent is exactly `high`, if there is one."""
    difference = high - low
    for candidate in (
        difference,
        math.nextafter(difference, math.inf),
        math.nextafter(difference, -math.inf),
    ):
        if low + candidate == high:
            return candidate
    return difference


def center_and_extent(low: float, high: float) -> tuple[int | float, int | float]:
    """The center and the length of an interval, as precise as floats are."""
    return short_number((low + high) / 2), short_number(high - low)


def tidy_pixels(pixels: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Round coordinates that were computed from fractions: 175.99999999999997 becomes 176.

    A coordinate stays as it is where rounding would change its float32, with which models are trained.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.round(pixels, _DECIMALS)
        is_same = rounded.astype(np.float32) == pixels.astype(np.float32)
    return np.where(is_same & (np.abs(pixels) < _MAX_TIDY), rounded, pixels)


def tidy_pixel(pixel: float) -> float:
    """`tidy_pixels` for one number."""
    if not abs(pixel) < _MAX_TIDY:  # also infinite and NaN
        return pixel
    rounded = round(pixel, _DECIMALS)
    return rounded if np.float32(rounded) == np.float32(pixel) else pixel
