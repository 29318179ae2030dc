"""The minimum score of the objects in the files of each photo: the same for all classes, or one per class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from boxmask.types import Detections
from boxmask.types.checks import check_min_score

DEFAULT = 0.5

MinScore: TypeAlias = float | Mapping[str, float]
"""A score in 0..1, or one by class name. A class that is not named has DEFAULT."""


def min_scores_of_classes(min_score: MinScore, class_names: Sequence[str]) -> Float[np.ndarray, " K"]:
    """The minimum score of each class, with the precision of scores."""
    if not isinstance(min_score, Mapping):
        return np.full(len(class_names), min_score, dtype=np.float32)
    return np.array([min_score.get(name, DEFAULT) for name in class_names], dtype=np.float32)


def at_least(detections: Detections, min_score: MinScore) -> Detections:
    """The detections whose score is at least that of their class."""
    if not isinstance(min_score, Mapping):
        return detections.filter(min_score=min_score)
    of_class = min_scores_of_classes(min_score, detections.class_names)
    keep: Bool[np.ndarray, " N"] = detections.scores >= of_class[detections.labels]
    return detections[keep]


def describe(min_score: MinScore) -> str:
    """The score in words: "a score of 0.5 or more"."""
    if not isinstance(min_score, Mapping):
        return f"a score of {min_score:g} or more"
    return "at least the best score of their class"


def check_min_scores(min_score: MinScore, name: str) -> None:
    """Raise UsageError unless each minimum score is 0 to 1."""
    for score in min_score.values() if isinstance(min_score, Mapping) else (min_score,):
        check_min_score(score, name)
