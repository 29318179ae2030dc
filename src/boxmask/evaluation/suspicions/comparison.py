"""Compare the labels of many photos with the detections of a model, one photo after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from boxmask.evaluation.suspicions.photo_comparison import (
    SAME_PLACE_IOU,
    UNKNOWN,
    Contradiction,
    FoundObjects,
    LabeledObjects,
    PhotoComparison,
)
from boxmask.evaluation.suspicions.suspicions import NO_OBJECT, Suspicions
from boxmask.evaluation.suspicions.thresholds import ClassMeans
from boxmask.types import Detections

LABELED_PLACE = 0.5
"""At the place of a label, a detection needs only this share of the threshold of its class: that there is an
object is known, and only its class or its edges are in question. On damaged labels of blood cells
(docs/benchmarks.md), this finds 81 % of the exchanged classes instead of 54 %, and 98 % of what it finds is
right."""

TYPICAL_FIT = 0.8
"""A box is bad if its IoU with the detection is below this share of the mean IoU of its class. So a model
that places its boxes badly accuses few labels."""


@dataclass(frozen=True, slots=True)
class Suspects:
    """The suspicions that are sure enough, as arrays of `SUSPICION`, the surest first.

    has_threshold: (K,) whether the model finds enough objects of each class to accuse labels
    """

    missing: Shaped[np.ndarray, " A"]
    wrong_class: Shaped[np.ndarray, " B"]
    bad_box: Shaped[np.ndarray, " C"]
    has_threshold: Bool[np.ndarray, " K"]


class LabelComparison:
    """What has been found in the photos so far, by a model with `num_classes` classes."""

    def __init__(self, num_classes: int) -> None:
        self._scores, self._ious = ClassMeans(num_classes), ClassMeans(num_classes)
        self._missing, self._wrong_class, self._bad_box = Suspicions(), Suspicions(), Suspicions()

    def add(
        self, photo: int, detections: Detections, rows: Int[np.ndarray, " N"], objects: LabeledObjects
    ) -> None:
        """Compare the detections in a photo with its labeled objects.

        photo: its index
        rows:  the rows of the objects in the labels of all photos
        """
        found = _found_objects(detections)
        comparison = PhotoComparison(found, objects)
        for detection, _, iou in comparison.matches():
            label = int(found.labels[detection])
            self._scores.add(label, float(found.scores[detection]))
            self._ious.add(label, iou)
        for suspicions, contradictions in (
            (self._missing, comparison.missing()),
            (self._wrong_class, comparison.wrong_classes()),
            (self._bad_box, comparison.bad_boxes()),
        ):
            for contradiction in contradictions:
                suspicions.add(_suspicion(photo, contradiction, found, rows, objects))

    def suspects(self) -> Suspects:
        """Those that are sure enough.

        missing:     by how far the score is above the threshold of the class, as a share of what is possible
        wrong class: by the score of the model's class less that of the labeled one, the normalized margin of
                     Confident Learning
        bad box:     by the score times 1 − IoU
        """
        thresholds, mean_ious = self._scores.values(), self._ious.values()
        missing, wrong_class, bad_box = self._missing.all(), self._wrong_class.all(), self._bad_box.all()
        above = missing["score"] - thresholds[missing["label"]]
        room = 1 - thresholds[missing["label"]]
        margin = wrong_class["score"] - wrong_class["own_score"]
        is_sure = wrong_class["score"] >= LABELED_PLACE * thresholds[wrong_class["label"]]
        limits = np.minimum(SAME_PLACE_IOU, TYPICAL_FIT * mean_ious[bad_box["label"]])
        is_sure_box = bad_box["score"] >= LABELED_PLACE * thresholds[bad_box["label"]]
        return Suspects(
            _surest(missing, above >= 0, above / np.maximum(room, np.finfo(np.float64).eps)),
            _surest(wrong_class, is_sure, margin),
            _surest(
                bad_box, is_sure_box & (bad_box["iou"] < limits), bad_box["score"] * (1 - bad_box["iou"])
            ),
            np.isfinite(thresholds),
        )


def _found_objects(detections: Detections) -> FoundObjects:
    """Boxes with masks count as boxes. Those without a width or a height are left out."""
    boxes = detections.boxes.astype(np.float64)
    kept = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    scores = detections.scores.astype(np.float64)
    return FoundObjects(boxes[kept], scores[kept], detections.labels[kept])


def _suspicion(
    photo: int,
    contradiction: Contradiction,
    found: FoundObjects,
    rows: Int[np.ndarray, " N"],
    objects: LabeledObjects,
) -> tuple[object, ...]:
    detection, number = contradiction.detection, contradiction.number
    return (
        photo,
        NO_OBJECT if number is None else int(rows[number]),
        int(found.labels[detection]),
        float(found.scores[detection]),
        UNKNOWN if number is None else int(objects.labels[number]),
        contradiction.own_score,
        contradiction.iou,
        tuple(found.boxes[detection].tolist()),
    )


def _surest(
    suspicions: Shaped[np.ndarray, " S"], is_sure: Bool[np.ndarray, " S"], rank: Float[np.ndarray, " S"]
) -> Shaped[np.ndarray, " T"]:
    """Those that are sure, highest rank first; of equal ranks, in the order of the photos."""
    kept = np.flatnonzero(is_sure)
    return suspicions[kept[np.argsort(-rank[kept], kind="stable")]]
