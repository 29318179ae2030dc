"""Numbers in JSON files."""

from __future__ import annotations

import math

import pytest

from boxmask.json_numbers import to_float, to_floats


def test_numbers_of_any_size() -> None:
    values = [1, 2.5, -0.0, 10**400, -(10**400), math.inf]
    assert to_floats(values) == list(map(to_float, values)) == [1, 2.5, 0, math.inf, -math.inf, math.inf]
    assert to_floats([]) == []


@pytest.mark.parametrize("value", [True, None, "1", [1]])
def test_other_values_are_no_numbers(value: object) -> None:
    assert to_floats([1.0, value]) is None
