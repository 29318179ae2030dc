from __future__ import annotations

import numpy as np
import pytest

from boxmask.forecasting.families import FAMILIES, errors_at
from boxmask.forecasting.fit import fit_curve
from boxmask.forecasting.outlook import look_ahead

PHOTOS = [25] * 3 + [50] * 3 + [100] * 2 + [200] * 2


def power_law(photos: np.ndarray) -> np.ndarray:
    return 0.7 - 0.2 * (photos / 200) ** -0.5


def noisy(deviation: float, seed: int) -> list[float]:
    random = np.random.default_rng(seed)
    return (power_law(np.array(PHOTOS)) + deviation * random.standard_normal(len(PHOTOS))).tolist()


@pytest.mark.parametrize("family", range(len(FAMILIES)))
def test_curves_have_their_level_at_the_reference_and_only_fall(family: int) -> None:
    photos = np.geomspace(0.01, 10, 50)
    ones = np.ones(1)
    errors = errors_at(np.array([family]), 0.4 * ones, 0.5 * ones, 0.7 * ones, np.append(photos, 1.0))[0]
    assert errors[-1] == pytest.approx(0.4)
    assert (np.diff(errors[:-1]) <= 1e-12).all()
    assert errors.min() >= 0.2 - 1e-12
    assert errors.max() <= 1


def test_a_power_law_is_found_again() -> None:
    curve = look_ahead(PHOTOS, noisy(0.005, 0), (50, 100))
    assert curve.now == pytest.approx(0.5, abs=0.01)
    for outlook, true in zip(curve.outlooks, power_law(np.array([250, 300])), strict=True):
        assert outlook.metric == pytest.approx(true, abs=0.015)
        assert outlook.interval.low < true < outlook.interval.high
        assert outlook.gain_interval.low < true - 0.5 < outlook.gain_interval.high
    assert curve.families["flat"] < 0.01


def test_more_noise_and_more_photos_widen_the_interval() -> None:
    def width(deviation: float, more: int) -> float:
        (outlook,) = look_ahead(PHOTOS, noisy(deviation, 1), (more,)).outlooks
        return outlook.interval.high - outlook.interval.low

    assert width(0.003, 50) < width(0.03, 50)
    assert width(0.003, 50) < width(0.003, 400)


def test_one_failed_training_does_not_bend_the_curve() -> None:
    metric = noisy(0.005, 2)
    before = look_ahead(PHOTOS, metric, (50,))
    after = look_ahead([*PHOTOS, 100], [*metric, 0.0], (50,))
    assert after.now == pytest.approx(before.now, abs=0.02)


def test_the_same_trainings_give_the_same_curves() -> None:
    photos, metric = np.array(PHOTOS, dtype=float), np.array(noisy(0.01, 3))
    assert np.array_equal(fit_curve(photos, metric).z, fit_curve(photos, metric).z)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.4])
def test_equal_metrics_promise_no_gain(value: float) -> None:
    curve = look_ahead(PHOTOS, [value] * len(PHOTOS), (25, 100))
    assert curve.now == pytest.approx(value, abs=0.01)
    assert curve.outlooks[-1].gain_interval.low == pytest.approx(0, abs=0.001)
    assert curve.outlooks[0].gain == pytest.approx(0, abs=0.03)
    for outlook in curve.outlooks:
        assert outlook.interval.low - 1e-9 <= value <= outlook.interval.high + 1e-9


def test_intervals_of_known_curves_hold_the_truth() -> None:
    """The benchmark measures it closely: benchmarks/forecast_coverage.py."""
    inside = []
    for seed in range(60):
        (outlook,) = look_ahead(PHOTOS, noisy(0.02, seed), (100,)).outlooks
        training = float(
            power_law(np.array([300]))[0] + 0.02 * np.random.default_rng(99 + seed).standard_normal()
        )
        inside.append(outlook.interval.low <= training <= outlook.interval.high)
    assert np.mean(inside) >= 0.9
