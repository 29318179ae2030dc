"""Thresholds of classes, and suspicions in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest

from boxmask.evaluation.suspicions.suspicions import NO_BOX, NO_OBJECT, Suspicions
from boxmask.evaluation.suspicions.thresholds import MIN_EXAMPLES, ClassMeans


def test_means_per_class() -> None:
    means = ClassMeans(3)
    for score in np.linspace(0.2, 0.4, MIN_EXAMPLES):
        means.add(0, float(score))
    for _ in range(MIN_EXAMPLES - 1):
        means.add(1, 0.9)
    assert means.values().tolist() == [pytest.approx(0.3), np.inf, np.inf]


def test_the_suspicions_with_the_highest_scores_are_kept() -> None:
    suspicions = Suspicions(max_kept=10)
    scores = np.random.default_rng(0).permutation(100) / 100
    for photo, score in enumerate(scores.tolist()):
        suspicions.add((photo, NO_OBJECT, 0, score, 0, 0.0, 0.0, NO_BOX))
    kept = suspicions.all()
    assert len(kept) < 20
    assert set(np.round(np.arange(0.9, 1, 0.01), 2)) <= set(np.round(kept["score"], 2))
    assert all(scores[row["photo"]] == row["score"] for row in kept)


def test_no_suspicion() -> None:
    assert len(Suspicions().all()) == 0
