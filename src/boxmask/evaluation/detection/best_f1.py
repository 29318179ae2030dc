"""The minimum score of each class that gives the best F1: the harmonic mean of precision and recall.

    F1 = 2 correct / (detections + objects)

The detections with at least this score are the best compromise between missed objects and false alarms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

MIN_SCORES = "min_scores"
"""The metric of a checkpoint with the best minimum score of each class, by name."""


@dataclass(frozen=True)
class BestF1:
    """The best F1 of a class, and the minimum score that gives it."""

    F1: float
    min_score: float


def best_f1(
    scores: Float[np.ndarray, " D"], correct: Bool[np.ndarray, " D"], num_objects: int
) -> BestF1 | None:
    """The best minimum score for detections of one class, highest score first.

    correct: which detections have found an object; the others are false alarms

    The score lies halfway between the last detection that is kept and the next. None without objects, or if
    none of them was found.
    """
    if num_objects == 0 or not correct.any():
        return None
    kept = np.arange(1, len(scores) + 1)
    f1 = 2 * np.cumsum(correct) / (kept + num_objects)
    is_last_of_equals = np.append(np.diff(scores) != 0, True)
    best = int(np.argmax(np.where(is_last_of_equals, f1, -1.0)))
    next_score = scores[best + 1] if best + 1 < len(scores) else 0.0
    return BestF1(float(f1[best]), float((scores[best] + next_score) / 2))


def best_min_scores(metrics: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """MIN_SCORES of an evaluation as a dict; empty if it has none, as that of a segmenter."""
    per_class = metrics.get("per_class", {}).items()
    best = {name: of_class.get("best_min_score") for name, of_class in per_class}
    scores = {name: score for name, score in best.items() if score is not None}
    return {MIN_SCORES: scores} if scores else {}
