"""Anchor sizes and aspect ratios by k-means."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxmask.training.fitting.clusters import (
    MIN_RATIO_STEP,
    ROOM,
    ROOM_AT_THE_ENDS,
    cluster_sizes,
    typical_ratios,
)

ROWS = ((16.0, 24.0), (32.0, 48.0), (64.0, 96.0), (128.0, 224.0))
RATIOS = (0.5, 1.0, 2.0)
SHAPES = st.lists(st.tuples(st.floats(1, 1000), st.floats(1, 1000)), min_size=1, max_size=60)


@settings(deadline=None)
@given(SHAPES)
def test_sizes_keep_their_order_and_stay_near_the_stride_of_their_level(
    shapes: list[tuple[float, float]],
) -> None:
    rows = cluster_sizes(np.array(shapes), ROWS, RATIOS)
    assert [len(row) for row in rows] == [2, 2, 2, 2]
    sizes, start = [s for row in rows for s in row], [s for row in ROWS for s in row]
    assert sizes == sorted(sizes)
    factors = [max(a / b, b / a) for a, b in zip(sizes, start, strict=True)]
    assert max(factors[1:-1]) <= ROOM + 1e-9
    assert max(factors[0], factors[-1]) <= ROOM_AT_THE_ENDS + 1e-9


def test_sizes_move_to_the_objects_and_others_stay() -> None:
    shapes = np.array([[20.0, 20.0]] * 30 + [[300.0, 300.0]] * 30)
    rows = cluster_sizes(shapes, ROWS, RATIOS)
    assert rows[3][1] == pytest.approx(300.0)
    assert 20.0 in rows[0]
    assert rows[1:3] == ROWS[1:3]


@settings(deadline=None)
@given(SHAPES)
def test_ratios_ascend_and_are_not_almost_the_same(shapes: list[tuple[float, float]]) -> None:
    flat, middle, tall = typical_ratios(np.array(shapes))
    for low, high in ((flat, middle), (middle, tall)):
        assert low <= high
        assert high / low > MIN_RATIO_STEP - 0.02  # three digits


def test_ratios_are_height_to_width() -> None:
    shapes = np.array([[100.0, 300.0]] * 10)
    assert typical_ratios(shapes) == (2.4, 3.0, 3.75)
    assert math.isclose(typical_ratios(shapes[:, ::-1])[1], 0.333)


def test_ratios_of_lines_are_not_rounded_to_zero() -> None:
    ratios = typical_ratios(np.array([[1000.0, 3.0]] * 10))
    assert ratios == (0.0024, 0.003, 0.00375)
