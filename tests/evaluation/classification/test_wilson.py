from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from boxmask.evaluation.classification.wilson import wilson_interval


def one_per_photo(count: int) -> NDArray[np.int64]:
    return np.arange(count)


@pytest.mark.parametrize(
    ("correct", "count", "expected"),
    [(8, 10, (0.4902, 0.9433)), (0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (1, 1, (0.2065, 1.0))],
)
def test_wilson_interval(correct: int, count: int, expected: tuple[float, float]) -> None:
    """Tabulated intervals for independent items."""
    low, high = wilson_interval(np.arange(count) < correct, one_per_photo(count))
    assert (low, high) == pytest.approx(expected, abs=1e-4)
    assert low <= correct / count <= high


def test_similar_objects_of_one_photo_count_less() -> None:
    correct = np.repeat([True, True, True, False], 25)
    low, high = wilson_interval(correct, np.repeat(np.arange(4), 25))
    assert high - low > 0.5  # four photos, whatever the number of objects
    low, high = wilson_interval(correct, one_per_photo(100))
    assert high - low < 0.2


def test_each_photo_counts_once_if_all_items_are_correct() -> None:
    assert wilson_interval(np.ones(100, bool), np.repeat(np.arange(4), 25)) == wilson_interval(
        np.ones(4, bool), one_per_photo(4)
    )
    assert wilson_interval(np.array([True, False]), np.array([7, 7]))[1] < 1


@pytest.mark.parametrize("objects", [1, 5])
def test_interval_covers_the_truth_as_often_as_it_claims(objects: int) -> None:
    """About 95 % of many samples of 40 photos have the truth in their interval."""
    generator = np.random.default_rng(0)
    truth, covered, draws = 0.8, 0, 400
    for _ in range(draws):
        of_photo = generator.beta(4, 1, size=40)  # mean 0.8: photos are harder or easier
        correct = generator.random((40, objects)) < of_photo[:, None]
        low, high = wilson_interval(correct.ravel(), np.repeat(np.arange(40), objects))
        covered += low <= truth <= high
    assert 0.92 <= covered / draws <= 0.99
