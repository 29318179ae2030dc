"""Numbers as label files hold them: exact, and whole numbers without a fraction."""

from __future__ import annotations

import math

_MAX_WHOLE = 2**53
"""Up to here, floats hold every whole number."""


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
