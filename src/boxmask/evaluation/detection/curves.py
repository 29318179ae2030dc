"""Precision and recall: at each recall and IoU, as in COCO's AP, and at each minimum score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import Kind
from boxmask.evaluation.detection.best_f1 import BestF1
from boxmask.evaluation.detection.coco import ALL_SIZES, run_coco_eval
from boxmask.evaluation.detection.matching import IOUS, RECALLS
from boxmask.types import Detections

WRITTEN_IOUS = (0, 5)  # 0.50 and 0.75, in `to_dict`
WRITTEN_SCORES = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, eq=False)
class PrecisionRecallCurves:
    """The highest precision at each recall or more, whose mean is COCO's AP.

    precision: (T, 101, K) at IoU 0.50, 0.55 .. 0.95 and recall 0, 0.01 .. 1; NaN for classes without objects
    scores:    (T, 101, K) the minimum score that gives the recall; 0 where it is not reached
    """

    class_names: tuple[str, ...]
    precision: Float[np.ndarray, "T 101 K"]
    scores: Float[np.ndarray, "T 101 K"]

    def to_dict(self) -> dict[str, Any]:
        """The precision of each class with objects at IoU 0.50 and 0.75, and the recalls."""
        per_class = {
            name: {f"{IOUS[t]:.2f}": self.precision[t, :, k].round(4).tolist() for t in WRITTEN_IOUS}
            for k, name in enumerate(self.class_names)
            if np.isfinite(self.precision[0, 0, k])
        }
        return {"recalls": RECALLS.round(2).tolist(), "precision": per_class}


@dataclass(frozen=True, slots=True)
class AtScore:
    """The detections of a class with at least some score.

    precision: None without detections
    recall:    None without objects
    """

    min_score: float
    detections: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, eq=False)
class ScoreCurve:
    """Precision and recall of one class at each minimum score, at IoU 0.5.

    scores:  (D,) of the detections that count, the highest first
    correct: (D,) which of them found an object
    objects: number of objects that count
    best:    the minimum score with the best F1; None if no object was found
    """

    scores: Float[np.ndarray, " D"]
    correct: Bool[np.ndarray, " D"]
    objects: int
    best: BestF1 | None

    def at(self, min_score: float) -> AtScore:
        """Precision and recall of the detections with at least this score."""
        kept = int(np.searchsorted(-self.scores, -min_score, side="right"))
        correct = int(self.correct[:kept].sum())
        return AtScore(
            min_score,
            kept,
            correct / kept if kept else None,
            correct / self.objects if self.objects else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Precision and recall at minimum scores 0, 0.01 .. 1, and the best F1."""
        points = [self.at(score) for score in WRITTEN_SCORES.tolist()]
        return {
            "best_F1": None if self.best is None else self.best.F1,
            "best_min_score": None if self.best is None else self.best.min_score,
            "objects": self.objects,
            "min_scores": WRITTEN_SCORES.round(2).tolist(),
            "precision": [_rounded(point.precision) for point in points],
            "recall": [_rounded(point.recall) for point in points],
        }


def precision_recall_curves(
    dataset: DetectionDataset, detections: Sequence[Detections], kind: Kind = "bbox"
) -> PrecisionRecallCurves:
    """The curves of detections, from hotcoco. `detections[i]` belongs to photo i of `dataset`."""
    coco_eval = run_coco_eval(dataset, detections, kind, sizes=[ALL_SIZES])
    coco_eval.accumulate()
    assert coco_eval.eval is not None  # filled by accumulate()
    precision = np.array(coco_eval.eval["precision"])[:, :, :, 0, -1]  # (T, R, K, A, M) at 100 detections
    scores = np.array(coco_eval.eval["scores"])[:, :, :, 0, -1]
    unmeasured = precision < 0  # pycocotools writes -1
    return PrecisionRecallCurves(
        dataset.class_names, np.where(unmeasured, np.nan, precision), np.where(unmeasured, 0.0, scores)
    )


def _rounded(fraction: float | None) -> float | None:
    return None if fraction is None else round(fraction, 4)
