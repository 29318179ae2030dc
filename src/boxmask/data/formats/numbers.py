"""Numbers in label files: harmless variants are accepted, and none is too large."""

from __future__ import annotations

import math
from typing import TypeGuard

_MAX_SIDE = 2**31
"""Larger declared sizes are not those of photos."""


def is_number(value: object) -> TypeGuard[float]:
    """Whether a JSON value is a number. Booleans are not, although Python treats them as ints."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def to_float(value: float) -> float:
    """An int or float as a float. Integers beyond the range of a float become infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def declared_side(value: object) -> int | None:
    """The side of a photo as declared: 64, 64.0, "64" or "64.0". None for anything else, such as 0."""
    if not isinstance(value, str) and not is_number(value):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(number) if 0 < number < _MAX_SIDE and number.is_integer() else None
