"""The parts of photos around boxes."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from boxmask.pages.regions import around_both, frame_around, rectangle, region_around

NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=64)
SIDES = st.integers(1, 5000)


def test_a_box_is_drawn_whichever_corner_comes_first() -> None:
    assert rectangle((30.0, 5.0, 10.0, 25.0)) == (10.0, 5.0, 20.0, 20.0)
    assert rectangle((30.0, math.nan, 10.0, 25.0)) is None
    assert rectangle(None) is None


def test_the_frame_has_a_margin_and_stays_near_the_box() -> None:
    assert region_around((100.0, 100.0, 140.0, 120.0), (640, 480)) == (84, 84, 72, 52)
    assert region_around((0.0, 0.0, 600.0, 400.0), (640, 480)) is None  # the photo shows it
    assert region_around((900.0, 0.0, 950.0, 40.0), (640, 480)) is None  # outside


def test_a_frame_shows_what_lies_beyond_the_edge() -> None:
    frame = frame_around((620.0, 100.0, 700.0, 160.0), (640, 480))
    assert frame is not None
    assert frame[0] + frame[2] > 700


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), st.tuples(SIDES, SIDES))
def test_regions_lie_in_the_photo(box: tuple[float, float, float, float], size: tuple[int, int]) -> None:
    region = region_around(box, size)
    if region is not None:
        x, y, width, height = region
        assert 0 <= x < x + width <= size[0]
        assert 0 <= y < y + height <= size[1]


def test_a_box_around_the_label_and_the_detection() -> None:
    assert around_both((10, 10, 20, 20), (5, 15, 30, 18)) == (5, 10, 30, 20)
    assert around_both(None, (5, 15, 30, 18)) == (5, 15, 30, 18)
    assert around_both((10, 10, 20, 20), None) == (10, 10, 20, 20)
    assert around_both(None, None) is None
