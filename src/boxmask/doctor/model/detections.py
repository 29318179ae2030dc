"""Compare the labels of all photos with the detections of a model."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.sound_boxes import sound_boxes
from boxmask.detectors.contract import Detector
from boxmask.errors import PhotoError
from boxmask.evaluation.detection.detect import PhotoDetector
from boxmask.evaluation.suspicions.comparison import LabelComparison, Suspects
from boxmask.evaluation.suspicions.photo_comparison import LabeledObjects
from boxmask.progress import Progress


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
    comparison = LabelComparison(len(detector.class_names))
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
