"""The kind of each error, and the AP50 that is lost to each kind, in the manner of TIDE.

Bolya, Foley, Hays and Hoffman, "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV 2020,
section 2. The order of the questions, and how an error is corrected, are those of its reference package,
tidecv 1.0.1. Detections of objects that do not count are no errors here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hotcoco.metrics import average_precision
from jaxtyping import Bool, Int

from boxmask.evaluation.detection.failures.matches import MIN_IOU, NONE, Matches
from boxmask.evaluation.detection.matching import RECALLS

BACKGROUND_IOU = 0.1
"""A detection that overlaps each object at most this much is on the background."""

CORRECT, CLASS, LOCATION, BOTH, DUPLICATE, BACKGROUND = range(6)
NAMES = ("correct", "class", "location", "both", "duplicate", "background")


@dataclass(frozen=True, eq=False)
class Errors:
    """The kind of each of M detections, and which of N objects are missed.

    types:   (M,) CORRECT (also for detections that do not count), CLASS, ...
    targets: (M,) the row of the object that a detection would find without its error, or NONE. Of several
             detections with the same target, that with the highest score would find it.
    missed:  (N,) whether no detection finds an object or would find it without its error
    """

    types: Int[np.ndarray, " M"]
    targets: Int[np.ndarray, " M"]
    missed: Bool[np.ndarray, " N"]


@dataclass(frozen=True, slots=True)
class LostAP:
    """How much higher AP50 would be without the errors of one kind.

    by_type: for CLASS, LOCATION, BOTH, DUPLICATE and BACKGROUND
    missed:  without missed objects
    all_wrong: without wrong detections of any kind
    all_missed: if each object were found that is not found now
    """

    AP50: float
    by_type: tuple[float, ...]
    missed: float
    all_wrong: float
    all_missed: float


def find_errors(matches: Matches) -> Errors:
    """Sort all detections and objects by what is wrong with them."""
    wrong = matches.counted & (matches.found == NONE)
    same, other = matches.same_iou, matches.other_iou
    types = np.select(
        [
            ~wrong,
            (same >= BACKGROUND_IOU) & (same <= MIN_IOU),
            other >= MIN_IOU,
            matches.duplicate,
            np.maximum(same, other) <= BACKGROUND_IOU,
        ],
        [CORRECT, LOCATION, CLASS, DUPLICATE, BACKGROUND],
        BOTH,
    )
    targets = np.select([types == LOCATION, types == CLASS], [matches.same, matches.other], NONE)
    is_found = matches.found_by != NONE
    aimed = np.flatnonzero(targets != NONE)
    targets[aimed[is_found[targets[aimed]]]] = NONE
    missed = matches.objects & ~is_found
    missed[targets[targets != NONE]] = False
    return Errors(types, targets, missed)


def lost_ap(matches: Matches, errors: Errors, labels: Int[np.ndarray, " N"]) -> LostAP | None:
    """The AP50 that each kind of error costs; `labels` are those of the objects. None without objects."""
    if not matches.objects.any():
        return None
    calculation = _Calculation(matches, errors, labels)
    base = calculation.mean_ap()
    return LostAP(
        AP50=base,
        by_type=tuple(max(0.0, calculation.mean_ap({kind}) - base) for kind in range(CLASS, BACKGROUND + 1)),
        missed=max(0.0, calculation.mean_ap(without_objects=errors.missed) - base),
        all_wrong=calculation.without_wrong() - base,
        all_missed=calculation.mean_ap(without_objects=matches.objects & (matches.found_by == NONE)) - base,
    )


class _Calculation:
    """AP50 with some of the errors corrected."""

    def __init__(self, matches: Matches, errors: Errors, labels: Int[np.ndarray, " N"]) -> None:
        self._matches, self._errors, self._labels = matches, errors, labels
        self._num_classes = int(labels.max()) + 1
        self._counted = matches.ranks[matches.counted[matches.ranks]]
        self._winner = _winners(matches, errors)

    def mean_ap(
        self,
        corrected: set[int] | frozenset[int] = frozenset(),
        without_objects: Bool[np.ndarray, " N"] | None = None,
    ) -> float:
        """With the errors of some kinds corrected, and without some objects.

        A corrected detection finds its target, if it is the first to do so. Otherwise it is removed.
        """
        rows = self._counted
        types = self._errors.types[rows]
        fixed = np.isin(types, list(corrected))
        wins = fixed & self._winner[rows]
        kept = ~fixed | wins
        labels = np.where(wins, self._labels[self._errors.targets[rows]], self._matches.labels[rows])
        correct = (types == CORRECT) | wins
        return self._mean(rows[kept], labels[kept], correct[kept], without_objects)

    def without_wrong(self) -> float:
        """Without any wrong detection."""
        rows = self._counted[self._errors.types[self._counted] == CORRECT]
        return self._mean(rows, self._matches.labels[rows], np.ones(len(rows), dtype=np.bool_), None)

    def _mean(
        self,
        rows: Int[np.ndarray, " C"],
        labels: Int[np.ndarray, " C"],
        correct: Bool[np.ndarray, " C"],
        without_objects: Bool[np.ndarray, " N"] | None,
    ) -> float:
        """The mean over classes with objects."""
        objects, scores = self._matches.objects, self._matches.scores[rows]
        left = objects if without_objects is None else objects & ~without_objects
        counted = np.bincount(self._labels[objects], minlength=self._num_classes)
        left_counts = np.bincount(self._labels[left], minlength=self._num_classes)
        aps = [
            average_precision(
                scores[labels == k], correct[labels == k], int(left_counts[k]), rec_thrs=RECALLS
            )
            for k in np.flatnonzero(counted)
        ]
        return float(np.mean(aps))


def _winners(matches: Matches, errors: Errors) -> Bool[np.ndarray, " M"]:
    """Which detections would be the first to find their target without their error."""
    wins = np.zeros(len(errors.types), dtype=np.bool_)
    candidates = matches.ranks[errors.targets[matches.ranks] != NONE]
    _, first = np.unique(errors.targets[candidates], return_index=True)
    wins[candidates[first]] = True
    return wins
