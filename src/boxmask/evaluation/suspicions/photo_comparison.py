"""Compare the detections in one photo with its labels.

The three suspicions are those of ObjectLab (Tkachenko, Thyagarajan and Mueller 2023, arXiv:2309.00832):
overlooked objects, swapped classes and badly located boxes. ObjectLab compares boxes by a mixture of IoU and
distance; here, the IoU alone decides. Whether a detection is sure enough is decided when the scores of all
photos are known (see `thresholds.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

UNKNOWN = -1
"""In place of a label of the model: the model does not know the class."""

MATCH_IOU = 0.5
"""A detection finds an object of its class from this IoU on, as in Pascal VOC and in COCO's AP50."""

MISSING_IOU = 0.3
"""A detection that overlaps each label less than this is about another object than they are."""

SAME_PLACE_IOU = 0.7
"""A detection and a label of another class that overlap this much are about one object, not about neighbors.
A box that overlaps the detection of its object this much fits."""

INSIDE_SHARE = 0.7
"""A box with this share of its area inside another one is a part of what that one shows."""


@dataclass(frozen=True, slots=True)
class LabeledObjects:
    """The N labeled objects of a photo.

    boxes:   xyxy in pixels, with a width and a height
    labels:  of the model; UNKNOWN for classes that it does not know
    ignored: crowd regions and difficult objects, which are not judged
    """

    boxes: Float[np.ndarray, "N 4"]
    labels: Int[np.ndarray, " N"]
    ignored: Bool[np.ndarray, " N"]


@dataclass(frozen=True, slots=True)
class FoundObjects:
    """The D detections in a photo, highest score first. boxes: xyxy in pixels, with a width and a height"""

    boxes: Float[np.ndarray, "D 4"]
    scores: Float[np.ndarray, " D"]
    labels: Int[np.ndarray, " D"]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A detection that contradicts the labels.

    detection: its index
    number:    the index of the labeled object; None if there is none at this place
    iou:       of the two
    own_score: the highest score of a detection of the object's class at its place; 0 without one
    """

    detection: int
    number: int | None = None
    iou: float = 0.0
    own_score: float = 0.0


class PhotoComparison:
    """The detections of one photo beside its labels."""

    def __init__(self, found: FoundObjects, objects: LabeledObjects) -> None:
        self._found, self._objects = found, objects
        self._common = _intersections(found.boxes, objects.boxes)
        self._ious = ious(found.boxes, objects.boxes)
        self._same_class = found.labels[:, None] == objects.labels
        self._around = self._same_class & (self._common >= INSIDE_SHARE * _areas(objects.boxes))

    def matches(self) -> Iterator[tuple[int, int, float]]:
        """Detections, the objects that they find, and their IoU.

        As in COCO, the detection with the highest score is first, and takes the free object of its class that
        it overlaps most.
        """
        overlaps = np.where(self._same_class & ~self._objects.ignored, self._ious, 0.0)
        for detection in np.flatnonzero((overlaps >= MATCH_IOU).any(axis=1)).tolist():
            if overlaps[detection].max(initial=0.0) >= MATCH_IOU:
                taken = int(overlaps[detection].argmax())
                yield detection, taken, float(overlaps[detection, taken])
                overlaps[:, taken] = 0.0

    def missing(self) -> Iterator[Contradiction]:
        """Detections at places without a label; one per place, that with the highest score.

        Parts of labeled objects of the same class, and groups of them, are left out, and so is what lies in a
        crowd region or difficult object.
        """
        explained = self._ious >= MISSING_IOU
        inside = self._common >= INSIDE_SHARE * _areas(self._found.boxes)[:, None]
        explained |= inside & (self._same_class | self._objects.ignored) | self._around
        candidates = np.flatnonzero(~explained.any(axis=1))
        boxes = self._found.boxes[candidates]
        apart = ious(boxes, boxes) < MATCH_IOU
        is_open = np.ones(len(candidates), dtype=np.bool_)
        for number, detection in enumerate(candidates.tolist()):
            if is_open[number]:
                is_open &= apart[number]
                yield Contradiction(detection)

    def wrong_classes(self) -> Iterator[Contradiction]:
        """The surest detection of another class at the place of each object.

        None where a detection of the labeled class has a higher score, and none for a detection that finds a
        label of its own class.
        """
        finds_own = (self._same_class & (self._ious >= MATCH_IOU)).any(axis=1)
        for number in self._judged():
            at_place = self._ious[:, number] >= SAME_PLACE_IOU
            others = np.flatnonzero(at_place & ~self._same_class[:, number] & ~finds_own)
            own_score = self._own_score(number)
            if len(others) and self._found.scores[others[0]] > own_score:
                yield Contradiction(int(others[0]), number, self._iou(others[0], number), own_score)

    def bad_boxes(self) -> Iterator[Contradiction]:
        """The surest detection of each object's class at its place.

        Detections that fit another label better are left out, and so are those around several objects.
        """
        best = self._ious.argmax(axis=1) if len(self._objects.labels) else np.zeros(0, dtype=np.int64)
        is_group = self._around.sum(axis=1) > 1
        for number in self._judged():
            at_place = self._same_class[:, number] & (self._ious[:, number] >= MISSING_IOU)
            fitting = np.flatnonzero(at_place & (best == number) & ~is_group)
            if len(fitting):
                yield Contradiction(int(fitting[0]), number, self._iou(fitting[0], number))

    def _own_score(self, number: int) -> float:
        at_place = self._same_class[:, number] & (self._ious[:, number] >= MATCH_IOU)
        return float(self._found.scores[at_place].max(initial=0.0))

    def _iou(self, detection: int, number: int) -> float:
        return float(self._ious[detection, number])

    def _judged(self) -> list[int]:
        judged: list[int] = np.flatnonzero(
            ~self._objects.ignored & (self._objects.labels != UNKNOWN)
        ).tolist()
        return judged


def ious(boxes: Float[np.ndarray, "A 4"], others: Float[np.ndarray, "B 4"]) -> Float[np.ndarray, "A B"]:
    """The IoU of all pairs."""
    common = _intersections(boxes, others)
    return np.asarray(common / (_areas(boxes)[:, None] + _areas(others) - common))


def _intersections(a: Float[np.ndarray, "A 4"], b: Float[np.ndarray, "B 4"]) -> Float[np.ndarray, "A B"]:
    low, high = np.maximum(a[:, None, :2], b[:, :2]), np.minimum(a[:, None, 2:], b[:, 2:])
    return np.asarray(np.maximum(high - low, 0).prod(axis=2))


def _areas(boxes: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, " N"]:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
