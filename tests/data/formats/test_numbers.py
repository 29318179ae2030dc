"""Numbers of labels: exact, short, and without the errors of products."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxmask.data.formats.numbers import short_number, tidy_pixel, tidy_pixels


@pytest.mark.parametrize(
    ("computed", "tidy"),
    [
        (175.99999999999997, 176.0),
        (0.1 + 0.2, 0.3),
        (640 / 3, 640 / 3),
        (-12.500000000000002, -12.5),
        (1e300, 1e300),
        (math.inf, math.inf),
    ],
)
def test_only_the_errors_of_products_are_rounded_away(computed: float, tidy: float) -> None:
    assert tidy_pixel(computed) == tidy
    assert tidy_pixels(np.array([computed])).tolist() == [tidy]


@given(st.integers(0, 9_999), st.integers(1, 9_999))
def test_whole_pixels_survive_a_fraction_of_the_photo(pixel: int, side: int) -> None:
    assert str(short_number(tidy_pixel(pixel / side * side))) == str(pixel)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_other_numbers_stay(pixel: float) -> None:
    for tidy in (tidy_pixel(pixel), tidy_pixels(np.array([pixel]))[0]):
        assert tidy == pixel or abs(tidy - pixel) <= 1e-11 or math.isnan(pixel)
