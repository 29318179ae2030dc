import numpy as np
import pytest
from scipy import stats

from boxmask.evaluation.intervals.resampling import Resampling, affordable_resamples
from boxmask.evaluation.intervals.sample import Sample, confidence_interval, difference_interval


def sample(value, resampled, groups=20, objects=(1e12,), step=0.0):
    return Sample(value, np.array(resampled, dtype=np.float64), groups, objects, step)


def test_interval_by_hand():
    """Without additional objects: log(m / (1 - m)) plus or minus t times the standard error on that scale."""
    values = np.array([0.5, 0.6, 0.7, np.nan])  # mean 0.6, variance 0.01
    low, high = confidence_interval(sample(0.65, values))
    center, error = 0.7, 0.1 * np.sqrt(20 / 19)  # the bias of the resamples is -0.05
    reach = stats.t.ppf(0.975, 19) * error / (center * (1 - center))
    expected = 1 / (1 + np.exp(-(np.log(center / (1 - center)) + np.array([-reach, reach]))))
    assert (low, high) == pytest.approx(tuple(expected), abs=1e-9)


def test_interval_contains_the_metric_and_stays_between_0_and_1():
    random = np.random.default_rng(0)
    for value in (0.0, 0.01, 0.5, 0.99, 1.0):
        drawn = np.clip(random.normal(value, 0.2, 50), 0, 1)
        low, high = confidence_interval(sample(value, drawn, 5, (3.0, 1.0), 0.01))
        assert 0 <= low <= value <= high <= 1
        assert low < high


def test_nothing_to_tell_from():
    assert confidence_interval(sample(0.5, [0.4, 0.6], groups=1)) is None
    assert confidence_interval(sample(0.5, [np.nan, 0.6])) is None
    assert confidence_interval(sample(0.5, [0.4, 0.6], objects=())) is None
    assert difference_interval(sample(0.5, [0.4, 0.6], groups=1), sample(0.5, [0.4, 0.6], groups=1)) is None


def test_difference_by_hand():
    first, second = sample(0.7, [0.6, 0.7, 0.8]), sample(0.6, [0.5, 0.7, 0.6])
    (low, high), p_value = difference_interval(first, second)
    error = np.std([0.1, 0.0, 0.2], ddof=1) * np.sqrt(20 / 19)
    reach = stats.t.ppf(0.975, 19) * error
    assert (low, high) == pytest.approx((0.1 - reach, 0.1 + reach))
    assert p_value == pytest.approx(2 * stats.t.sf(0.1 / error, 19))


def test_photos_of_a_group_have_the_same_weight():
    resampling = Resampling.of(5, np.array([7, 3, 7, 3, 9]), resamples=50, seed=1)
    weights = np.concatenate(list(resampling.weights()))
    assert resampling.num_groups == 3
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 1] == weights[:, 3]).all()
    assert (weights[:, [0, 1, 4]].sum(axis=1) == 3).all()


def test_blocks_do_not_change_the_draws(monkeypatch):
    together = np.concatenate(list(Resampling.of(7, resamples=10).weights()))
    monkeypatch.setattr("boxmask.evaluation.intervals.resampling.BLOCK", 20)
    blocks = list(Resampling.of(7, resamples=10).weights())
    assert len(blocks) == 5
    np.testing.assert_array_equal(np.concatenate(blocks), together)


def test_fewer_resamples_for_many_detections():
    assert affordable_resamples(0) == affordable_resamples(500_000) == 1000
    assert affordable_resamples(1_000_000) == 500
    assert affordable_resamples(100_000_000) == 200
