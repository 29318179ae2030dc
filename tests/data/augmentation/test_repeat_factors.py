"""Repeat factors against LVIS's formula, computed class by class."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from boxmask.data.augmentation.repeat_factors import (
    draw_repeats,
    paste_probabilities,
    photo_repeat_factors,
)

COUNTS = arrays.arrays(
    np.int64, st.tuples(st.integers(1, 30), st.integers(1, 5)), elements=st.sampled_from([0, 0, 0, 1, 7])
)


def factors_by_hand(counts: NDArray[np.int64]) -> list[float]:
    """Gupta et al. 2019: r(c) = max(1, sqrt(t / f(c))) and r(photo) = max over its classes of r(c)."""
    num_photos, num_classes = counts.shape
    fraction = [sum(1 for photo in counts if photo[c] > 0) / num_photos for c in range(num_classes)]
    known = [f for f in fraction if f > 0]
    threshold = sum(known) / len(known) if known else 0.0
    of_class = [max(1.0, math.sqrt(threshold / f)) if f else 1.0 for f in fraction]
    return [max([1.0, *(of_class[c] for c in range(num_classes) if photo[c] > 0)]) for photo in counts]


@settings(max_examples=100, deadline=None)
@given(counts=COUNTS)
def test_factors_follow_the_formula(counts: NDArray[np.int64]) -> None:
    assert photo_repeat_factors(counts) == pytest.approx(factors_by_hand(counts))


def test_photos_of_a_rare_class_are_repeated() -> None:
    counts = np.array([[3, 0]] * 9 + [[3, 1]])  # in 10 of 10 photos, and in 1 of 10; 0.55 on average
    assert photo_repeat_factors(counts).tolist() == pytest.approx([1.0] * 9 + [math.sqrt(5.5)])


def test_photos_without_objects_are_used_once() -> None:
    assert photo_repeat_factors(np.zeros((3, 2), dtype=np.int64)).tolist() == [1.0] * 3
    assert photo_repeat_factors(np.zeros((0, 2), dtype=np.int64)).tolist() == []


@settings(max_examples=100, deadline=None)
@given(counts=COUNTS, seed=st.integers(0, 2**32))
def test_each_factor_is_rounded_up_or_down(counts: NDArray[np.int64], seed: int) -> None:
    factors = photo_repeat_factors(counts)
    repeats = draw_repeats(factors, np.random.default_rng(seed))
    assert repeats.sum() == math.ceil(round(factors.sum(), 9))
    raised = factors * repeats.sum() / factors.sum()
    assert (np.abs(repeats - raised) < 1 + 1e-6).all()
    assert (repeats >= 1).all()


def test_photos_are_used_as_often_as_their_factors_say() -> None:
    factors = np.array([1.0, 1.0, 1.3, 2.5, 1.0, 3.1])
    draws = np.mean(
        [draw_repeats(factors, np.random.default_rng((0, epoch))) for epoch in range(4000)], axis=0
    )
    assert draws == pytest.approx(factors * 10 / 9.9, abs=0.04)


def test_without_rare_classes_every_photo_is_used_once() -> None:
    assert draw_repeats(np.ones(7), np.random.default_rng(0)).tolist() == [1] * 7


def test_objects_of_rare_classes_are_pasted_more_often() -> None:
    counts = np.array([[12, 1, 1], [11, 1, 0], [13, 1, 1]])  # 36, 3 and 2 of 41 objects
    common, rare, rarest = paste_probabilities(counts)
    assert common < rare < rarest == 0.5
    assert rare / rarest == pytest.approx(math.sqrt(2 / 3))
    assert common / rarest == pytest.approx(1 / math.sqrt((1 / 3) / (2 / 41)))
