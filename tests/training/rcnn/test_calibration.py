"""The calibration of SVM margins (Platt 1999)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxmask.training.rcnn.calibration import calibrate


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_two_margins_computed_by_hand() -> None:
    # Platt's targets of one object and one other are 2/3 and 1/3: sigmoid(slope) = 2/3, slope = ln 2
    slope, offset, note = calibrate(np.float32([1, -1]), np.array([True, False]))
    assert (slope, offset, note) == (pytest.approx(np.log(2), abs=1e-6), pytest.approx(0, abs=1e-6), "")


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 5), st.floats(0.3, 4))
def test_the_sigmoid_maximizes_the_likelihood_and_keeps_the_order(
    seed: int, num_objects: int, gap: float
) -> None:
    generator = np.random.default_rng(seed)
    is_object = np.arange(2000) < num_objects
    margins = (generator.normal(size=2000) * 0.3 - 1 + gap * is_object).astype(np.float32)
    slope, offset, note = calibrate(margins, is_object)
    if note:
        assert (slope, offset) == (1, 0)
        return
    target = np.where(is_object, (num_objects + 1) / (num_objects + 2), 1 / (2002 - num_objects))
    error = target - sigmoid(slope * margins.astype(float) + offset)
    assert slope > 0
    assert abs(error.sum()) < 1e-3  # the derivative of Platt's likelihood by the offset, and by the slope:
    assert abs((error * margins).sum()) < 1e-3


@pytest.mark.parametrize(
    ("margins", "is_object", "reason"),
    [
        ([], [], "no objects"),
        ([0.5, -1], [True, True], "no background"),
        ([0.5, -1], [False, False], "no objects"),
        ([-1e4, -1e4], [True, False], "equal margins"),
        ([-1, 1], [True, False], "not higher than those of background"),
    ],
)
def test_without_a_calibration_the_sigmoid_is_plain_and_a_note_says_why(
    margins: list[float], is_object: list[bool], reason: str
) -> None:
    slope, offset, note = calibrate(np.float32(margins), np.array(is_object, dtype=bool))
    assert (slope, offset) == (1, 0)
    assert note.startswith("scores are not calibrated")
    assert reason in note
