"""Compare the labels of all photos with the detections of a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.sound_boxes import sound_boxes
from boxmask.detectors.contract import Detector
from boxmask.doctor.model.known_classes import UNKNOWN
from boxmask.doctor.model.photo_comparison import (
    SAME_PLACE_IOU,
    Contradiction,
    FoundObjects,
    LabeledObjects,
    PhotoComparison,
)
from boxmask.doctor.model.suspicions import NO_OBJECT, Suspicions
from boxmask.doctor.model.thresholds import ClassMeans
from boxmask.errors import PhotoError
from boxmask.evaluation.detection.detect import PhotoDetector
from boxmask.progress import Progress
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


def find_suspects(
    detector: Detector,
    examination: Examination,
    labels_of_model: Int[np.ndarray, " M"],
    progress: Progress | None = None,
) -> Suspects:
    """Detect the objects in each labeled photo, one after the other, and compare them with its labels.

    labels_of_model: the model's label of each class of the data set, or UNKNOWN

    Photos that cannot be read are left out.
    """
    photos = _Photos(examination, labels_of_model)
    comparison = _Comparison(len(detector.class_names))
    photo_detector, labels = PhotoDetector(detector), examination.labels
    for index, photo in enumerate(labels.photos):
        if not photo.missing_name:
            try:
                detections = photo_detector.detect(labels.root / photo.file)
            except PhotoError:  # already a finding about the photo
                pass
            else:
                comparison.add(index, detections, *photos.objects(index, detections.size))
        if progress is not None:
            progress(index + 1, len(labels.photos))
    return comparison.suspects()


class _Photos:
    """The labeled objects of each photo."""

    def __init__(self, examination: Examination, labels_of_model: Int[np.ndarray, " M"]) -> None:
        self._labels, self._labels_of_model = examination.labels, labels_of_model
        rows = np.flatnonzero(sound_boxes(examination))
        self._rows = rows[np.argsort(self._labels.photo_of[rows], kind="stable")]
        photo_of = self._labels.photo_of[self._rows]
        self._offsets = np.searchsorted(photo_of, np.arange(len(self._labels.photos) + 1))

    def objects(self, photo: int, size: tuple[int, int]) -> tuple[Int[np.ndarray, " N"], LabeledObjects]:
        """The objects with a box inside a photo of (height, width), and their rows in the labels."""
        labels = self._labels
        rows = self._rows[self._offsets[photo] : self._offsets[photo + 1]]
        boxes = np.clip(labels.boxes[rows], 0, np.tile(size[::-1], 2))
        inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        rows, boxes = rows[inside], boxes[inside]
        ignored = labels.crowd[rows] | labels.difficult[rows]
        return rows, LabeledObjects(boxes, self._labels_of_model[labels.labels[rows]], ignored)


class _Comparison:
    """What has been found in the photos so far."""

    def __init__(self, num_classes: int) -> None:
        self._scores, self._ious = ClassMeans(num_classes), ClassMeans(num_classes)
        self._missing, self._wrong_class, self._bad_box = Suspicions(), Suspicions(), Suspicions()

    def add(
        self, photo: int, detections: Detections, rows: Int[np.ndarray, " N"], objects: LabeledObjects
    ) -> None:
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
