"""Numbers in JSON files, which may be of any size."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

_NUMBERS = {int, float}  # bool is not among them


def is_number(value: object) -> TypeGuard[float]:
    """Whether a JSON value is a number. Booleans are not, although Python treats them as ints."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def to_float(value: float) -> float:
    """An int or float as a float. Integers beyond the range of a float become infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def to_floats(values: list[Any]) -> list[float] | None:
    """`to_float` for many values; None if one of them is no number."""
    if not set(map(type, values)) <= _NUMBERS:
        return None
    try:
        return list(map(float, values))
    except OverflowError:
        return list(map(to_float, values))
