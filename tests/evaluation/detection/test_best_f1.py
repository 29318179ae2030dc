from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxmask.evaluation.detection.best_f1 import BestF1, best_f1, best_min_scores


def best(found: list[tuple[float, bool]], objects: int) -> BestF1 | None:
    ordered = sorted(found, key=lambda each: -each[0])
    scores = np.array([score for score, _ in ordered], dtype=np.float64)
    return best_f1(scores, np.array([correct for _, correct in ordered], dtype=bool), objects)


def test_the_score_lies_halfway_between_kept_and_left_out() -> None:
    assert best([(0.9, True), (0.7, True), (0.3, False)], 2) == BestF1(1.0, pytest.approx(0.5))
    assert best([(0.9, True)], 1) == BestF1(1.0, pytest.approx(0.45))


def test_detections_with_equal_scores_are_kept_together() -> None:
    found = best([(0.9, True), (0.5, True), (0.5, False), (0.5, False), (0.5, False)], 2)
    assert found == BestF1(pytest.approx(2 / 3), pytest.approx(0.7))


def test_without_objects_or_hits_there_is_no_best_score() -> None:
    assert best([(0.9, False)], 0) is None
    assert best([(0.9, False)], 3) is None
    assert best([], 3) is None


@given(
    st.lists(st.tuples(st.integers(1, 20).map(lambda n: n / 20), st.booleans()), min_size=1, max_size=30),
    st.integers(0, 5),
)
def test_no_other_minimum_score_is_better(found: list[tuple[float, bool]], missed: int) -> None:
    objects = sum(correct for _, correct in found) + missed
    result = best(found, objects)

    def f1(minimum: float) -> float:
        kept = [correct for score, correct in found if score >= minimum]
        return 2 * sum(kept) / (len(kept) + objects) if objects else 0.0

    if result is None:
        assert not any(correct for _, correct in found)
    else:
        assert f1(result.min_score) == pytest.approx(result.F1)
        assert result.F1 == pytest.approx(max(f1(n / 20) for n in range(21)))


def test_only_classes_with_a_score_are_named() -> None:
    metrics = {"per_class": {"cat": {"best_min_score": 0.4}, "dog": {"best_min_score": None}, "sky": {}}}
    assert best_min_scores(metrics) == {"min_scores": {"cat": 0.4}}
    assert best_min_scores({"per_class": {"sky": {"IoU": 0.5}}}) == best_min_scores({}) == {}
