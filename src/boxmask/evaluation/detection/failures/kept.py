"""Detections with at least the minimum score of their class, and what they find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.evaluation.detection.best_f1 import best_f1
from boxmask.evaluation.detection.curves import ScoreCurve
from boxmask.evaluation.detection.failures.matches import NONE, Matches

DEFAULT_MIN_SCORE = 0.5
"""Of a class of which no object was found."""


@dataclass(frozen=True, eq=False)
class Kept:
    """The detections that are kept, and the objects that they find.

    detections: (M,) whether each is kept and counts
    found:      (N,) whether a kept detection finds each object
    """

    detections: Bool[np.ndarray, " M"]
    found: Bool[np.ndarray, " N"]


def score_curves(matches: Matches, labels: Int[np.ndarray, " N"], num_classes: int) -> tuple[ScoreCurve, ...]:
    """Precision and recall of each class; `labels` are those of the objects."""
    objects = np.bincount(labels[matches.objects], minlength=num_classes).tolist()
    curves = []
    for label in range(num_classes):
        rows = matches.of_class(label)
        scores, correct = matches.scores[rows], matches.found[rows] != NONE
        curves.append(ScoreCurve(scores, correct, objects[label], best_f1(scores, correct, objects[label])))
    return tuple(curves)


def min_scores(curves: tuple[ScoreCurve, ...]) -> Float[np.ndarray, " K"]:
    """The minimum score of each class that gives the best F1."""
    best = [curve.best for curve in curves]
    return np.array([DEFAULT_MIN_SCORE if each is None else each.min_score for each in best])


def keep(matches: Matches, minimum: Float[np.ndarray, " K"]) -> Kept:
    """The detections with at least the minimum score of their class. Leaving out others changes no match."""
    kept = matches.counted & (matches.scores >= minimum[matches.labels])
    found = np.zeros(len(matches.objects), dtype=np.bool_)
    found[matches.found[kept & (matches.found != NONE)]] = True
    return Kept(kept, found)
