"""Average precision as Pascal VOC defines it: Everingham et al., "The Pascal Visual Object Classes (VOC)
Challenge", IJCV 2010, section 4.2, and the development kit's VOCevaldet.m.

Detections of a class, best first, each go to the object of the photo that they overlap most; at IoU >= 0.5
the first detection of an object is right, later ones are wrong, and those of a `difficult` object are left
out, however many. VOC2007 averages precision at 11 recalls; VOC2010 and later take the whole area.

Where this differs from the development kit: boxes have continuous edges (width = x2 - x1, where the kit has
x2 - x1 + 1); recall is compared with the 11 levels in whole numbers, free of rounding; and detections that
overlap no object but lie by half or more in a COCO crowd region, which VOC does not know, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import FlatDetections, flatten, objects_by_class
from boxmask.geometry.boxes import coverage, iou
from boxmask.types import Detections

MIN_IOU = 0.5  # section 4.2
RIGHT, WRONG, LEFT_OUT = 1, 0, -1


@dataclass(frozen=True)
class VocAP:
    """Average precision at IoU 0.5 in VOC2007's 11-point form and in the all-point form of VOC2010."""

    AP_11: float | None
    AP_all: float | None


@dataclass(frozen=True)
class VocMetrics:
    """The mean over classes that have objects, and each class; None where there is no object to measure."""

    AP_11: float | None
    AP_all: float | None
    per_class: dict[str, VocAP]


def voc_metrics(dataset: DetectionDataset, detections: Sequence[Detections]) -> VocMetrics:
    """VOC's figures for the detections of a data set's photos; `detections[i]` belongs to photo i.

    Raises ValueError where the number of photos or the class names differ.
    """
    found = flatten(dataset, detections)
    verdicts = _judge(dataset, found)
    best_first = np.argsort(-found.scores, kind="stable")
    per_class = {}
    for k, (name, objects) in enumerate(zip(dataset.class_names, objects_by_class(dataset), strict=True)):
        ranked = verdicts[best_first[found.labels[best_first] == k]]
        per_class[name] = VocAP(eleven_point(ranked, objects), all_point(ranked, objects))
    values = list(per_class.values())
    return VocMetrics(_mean([ap.AP_11 for ap in values]), _mean([ap.AP_all for ap in values]), per_class)


def eleven_point(verdicts: NDArray[np.int64], objects: int) -> float | None:
    """The mean, over recall 0, 0.1 .. 1, of the best precision at that recall or more (VOC2007).

    verdicts: (M,) RIGHT, WRONG or LEFT_OUT, best first; None if there are no objects.
    """
    if objects == 0:
        return None
    right, precision = _curve(verdicts)
    reached = [precision[right * 10 >= level * objects] for level in range(11)]
    return float(np.mean([p.max(initial=0.0) for p in reached]))


def all_point(verdicts: NDArray[np.int64], objects: int) -> float | None:
    """The area under the curve of the best precision at each recall or more (VOC2010).

    verdicts: (M,) RIGHT, WRONG or LEFT_OUT, best first; None if there are no objects.
    """
    if objects == 0:
        return None
    right, precision = _curve(verdicts)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(right, prepend=0) * envelope) / objects)


def _curve(verdicts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """After each judged detection: how many were right so far, and the precision."""
    right = np.cumsum(verdicts[verdicts != LEFT_OUT])
    return right, right / np.arange(1, len(right) + 1)


def _judge(dataset: DetectionDataset, found: FlatDetections) -> NDArray[np.int64]:
    """RIGHT, WRONG or LEFT_OUT for every detection: (M,)."""
    verdicts = np.full(len(found.scores), WRONG, dtype=np.int64)
    for rows in _photo_and_class(found):
        span = dataset.rows(int(found.photos[rows[0]]))
        objects = span.start + np.flatnonzero(dataset.labels[span] == found.labels[rows[0]])
        if len(objects):
            verdicts[rows] = _judge_photo(dataset, objects, found.boxes[rows])
    return verdicts


def _photo_and_class(found: FlatDetections) -> Iterator[NDArray[np.int64]]:
    """The rows of each photo and class that has detections, best first."""
    order = np.lexsort((-found.scores, found.labels, found.photos))
    change = np.diff(found.photos[order]).astype(bool) | np.diff(found.labels[order]).astype(bool)
    return (rows for rows in np.split(order, np.flatnonzero(change) + 1) if len(rows))


def _judge_photo(
    dataset: DetectionDataset, objects: NDArray[np.int64], boxes: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Judge one photo's boxes of one class, best first, against the objects in those rows."""
    verdicts = np.full(len(boxes), WRONG, dtype=np.int64)
    crowd = dataset.crowd[objects]
    found, labeled = torch.from_numpy(boxes), torch.from_numpy(dataset.boxes[objects]).double()
    verdicts[(coverage(labeled[crowd], found).numpy() >= MIN_IOU).any(axis=0)] = LEFT_OUT
    if crowd.all():
        return verdicts
    overlap = iou(found, labeled[~crowd]).numpy()
    nearest, hit = overlap.argmax(axis=1), overlap.max(axis=1) >= MIN_IOU
    difficult = dataset.difficult[objects[~crowd]][nearest]
    verdicts[hit] = np.where(difficult[hit], LEFT_OUT, WRONG)
    claims = np.flatnonzero(hit & ~difficult)
    _, first = np.unique(nearest[claims], return_index=True)
    verdicts[claims[first]] = RIGHT
    return verdicts


def _mean(values: Sequence[float | None]) -> float | None:
    measured = [value for value in values if value is not None]
    return float(np.mean(measured)) if measured else None
