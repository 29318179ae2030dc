from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxmask.prediction.tracking.motion import (
    FIRST_POSITION_STD,
    FIRST_VELOCITY_STD,
    POSITION_STD,
    VELOCITY_STD,
    BoxMotion,
)


class TextbookFilter:
    """The Kalman filter of eight numbers, with matrices, as BoT-SORT writes it (section 3.1)."""

    def __init__(self, box: np.ndarray) -> None:
        self.mean = np.concatenate([measurement(box), np.zeros(4)])
        scale = self.scale()
        deviations = np.concatenate([FIRST_POSITION_STD * scale, FIRST_VELOCITY_STD * scale])
        self.covariance = np.diag(deviations**2)

    def scale(self) -> np.ndarray:
        return np.tile(self.mean[2:4], 2)

    def predict(self) -> None:
        step = np.eye(8)
        step[range(4), range(4, 8)] = 1
        noise = np.concatenate([POSITION_STD * self.scale(), VELOCITY_STD * self.scale()])
        self.mean = step @ self.mean
        self.covariance = step @ self.covariance @ step.T + np.diag(noise**2)

    def update(self, box: np.ndarray) -> None:
        look = np.eye(4, 8)
        total = look @ self.covariance @ look.T + np.diag((POSITION_STD * self.scale()) ** 2)
        gain = self.covariance @ look.T @ np.linalg.inv(total)
        self.mean = self.mean + gain @ (measurement(box) - look @ self.mean)
        self.covariance = (np.eye(8) - gain @ look) @ self.covariance


def measurement(box: np.ndarray) -> np.ndarray:
    return np.concatenate([(box[:2] + box[2:]) / 2, box[2:] - box[:2]])


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_it_equals_the_filter_with_matrices(seed: int) -> None:
    random = np.random.default_rng(seed)
    box = np.array([100.0, 50.0, 140.0, 130.0]) + random.uniform(-5, 5, 4)
    motion, textbook = BoxMotion(box), TextbookFilter(box)
    for _ in range(30):
        box = box + random.normal(0, 0.5, 4) + [1.5, -0.5, 1.5, -0.5]
        motion.predict()
        textbook.predict()
        if random.random() < 0.7:
            motion.update(box)
            textbook.update(box)
    np.testing.assert_allclose(motion.position, textbook.mean[:4], rtol=1e-9)
    np.testing.assert_allclose(motion.velocity, textbook.mean[4:], rtol=1e-9, atol=1e-12)
    diagonal = np.diag(textbook.covariance)
    np.testing.assert_allclose(motion.position_variance, diagonal[:4], rtol=1e-9)
    np.testing.assert_allclose(motion.velocity_variance, diagonal[4:], rtol=1e-9)
    np.testing.assert_allclose(motion.covariance, np.diag(textbook.covariance[:4, 4:]), rtol=1e-9)


def test_a_worked_step() -> None:
    motion = BoxMotion(np.array([0.0, 0.0, 20.0, 20.0]))  # scale 20: deviations 2, first velocity 2.5
    motion.predict()
    assert motion.position_variance[0] == pytest.approx(4 + 6.25 + 1)
    motion.update(np.array([4.0, 0.0, 24.0, 20.0]))
    assert motion.position[0] == pytest.approx(10 + 4 * 11.25 / 12.25)
    assert motion.velocity[0] == pytest.approx(4 * 6.25 / 12.25)


def test_steady_motion_is_learned() -> None:
    motion = BoxMotion(np.array([0.0, 0.0, 20.0, 30.0]))
    for number in range(1, 40):
        motion.predict()
        motion.update(np.array([0.0, 0.0, 20.0, 30.0]) + np.array([3, 1, 3, 1]) * number)
    motion.predict(10)
    expected = np.array([0.0, 0.0, 20.0, 30.0]) + np.array([3, 1, 3, 1]) * 49
    np.testing.assert_allclose(motion.box, expected, atol=0.3)


def test_one_long_step_is_as_sure_of_the_place_as_two_short_ones_are() -> None:
    box = np.array([0.0, 0.0, 20.0, 30.0])
    once, twice = BoxMotion(box), BoxMotion(box)
    once.predict(2)
    twice.predict(1)
    twice.predict(1)
    np.testing.assert_allclose(once.position_variance, twice.position_variance, rtol=0.01)


def test_a_box_without_area_stays_finite() -> None:
    motion = BoxMotion(np.array([5.0, 5.0, 5.0, 5.0]))
    for _ in range(5):
        motion.predict()
        motion.update(np.array([5.0, 5.0, 5.0, 5.0]))
    assert np.isfinite(motion.box).all()
