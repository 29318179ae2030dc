"""Numbers as label files hold them: exact, and whole numbers without a fraction."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

_MAX_WHOLE = 2**53
"""Up to here, floats hold every whole number."""

_DECIMALS = 9
"""Decimals of a pixel to which computed coordinates are rounded, if they differ by no more than `_NOISE`."""
_NOISE = 1e-11
"""More than the error of float64, in pixels, of coordinates computed for a photo of 10,000 pixels."""


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
    """Remove the errors of float64 from coordinates that were computed: 175.99999999999997 becomes 176.

    A coordinate with more than nine decimals of its own stays as it is.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.round(pixels, _DECIMALS)
        is_noise = np.abs(rounded - pixels) <= _NOISE
    return np.where(is_noise, rounded, pixels)


def tidy_pixel(pixel: float) -> float:
    """`tidy_pixels` for one number."""
    if not math.isfinite(pixel):
        return pixel
    rounded = round(pixel, _DECIMALS)
    return rounded if abs(rounded - pixel) <= _NOISE else pixel
