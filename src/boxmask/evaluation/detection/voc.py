"""Average precision as defined by Pascal VOC.

Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge", IJCV 2010, section 4.2, and the
development kit's VOCevaldet.m.

Detections of a class, highest score first, each go to the object in the photo that they overlap most. At
IoU >= 0.5 the first detection of an object is correct and later ones are wrong. Detections of a `difficult`
object are ignored, however many there are. VOC2007 averages precision at 11 recalls; VOC2010 and later take
the whole area under the curve.

Differences from the development kit: boxes have continuous edges (width = x2 - x1, where the kit has
x2 - x1 + 1). Recall is compared with the 11 levels in integers, without rounding. VOC has no crowd regions;
here, detections that overlap no object but lie by half or more in a COCO crowd region are ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import FlatDetections, flatten, objects_per_class
from boxmask.evaluation.detection.best_f1 import BestF1, best_f1
from boxmask.evaluation.detection.grouping import group_by_photo_and_class, to_xywh
from boxmask.kernels.matching_loops import voc_matches
from boxmask.types import Detections

MIN_IOU = 0.5  # section 4.2
CORRECT, WRONG, NOT_COUNTED = 1, 0, -1  # outcomes of a detection


@dataclass(frozen=True)
class VocAP:
    """AP at IoU 0.5: VOC2007's mean over 11 points, and the area under the curve of VOC2010.

    best: the best F1 at the same IoU; None if no object was found
    """

    AP_11: float | None
    AP_all: float | None
    best: BestF1 | None = None


@dataclass(frozen=True)
class VocMetrics:
    """The mean over the classes with objects, and each class. None without objects to measure."""

    AP_11: float | None
    AP_all: float | None
    per_class: dict[str, VocAP]


def voc_metrics(dataset: DetectionDataset, detections: Sequence[Detections]) -> VocMetrics:
    """VOC's metrics of detections. `detections[i]` belongs to photo i of `dataset`.

    Raises ValueError if the number of photos or the class names differ.
    """
    flat = flatten(dataset, detections)
    outcomes = _outcomes(dataset, flat)
    counted = np.flatnonzero(outcomes != NOT_COUNTED)
    order = counted[np.lexsort((-flat.scores[counted], flat.labels[counted]))]
    ends = np.searchsorted(flat.labels[order], np.arange(len(dataset.class_names)), side="right")
    rows_of_class = np.split(order, ends[:-1])
    objects_of_class = objects_per_class(dataset)
    per_class = {}
    for name, rows, objects in zip(dataset.class_names, rows_of_class, objects_of_class, strict=True):
        of_class = outcomes[rows]
        best = best_f1(flat.scores[rows], of_class == CORRECT, objects)
        per_class[name] = VocAP(eleven_point_ap(of_class, objects), all_point_ap(of_class, objects), best)
    values = list(per_class.values())
    return VocMetrics(_mean([ap.AP_11 for ap in values]), _mean([ap.AP_all for ap in values]), per_class)


def eleven_point_ap(outcomes: Int[np.ndarray, " M"], num_objects: int) -> float | None:
    """The mean, over recall 0, 0.1 .. 1, of the highest precision at that recall or more (VOC2007).

    outcomes: (M,) CORRECT, WRONG or NOT_COUNTED, highest score first

    None without objects.
    """
    if num_objects == 0:
        return None
    correct, precision = _curve(outcomes)
    from_level = [precision[correct * 10 >= level * num_objects] for level in range(11)]
    return float(np.mean([p.max(initial=0.0) for p in from_level]))


def all_point_ap(outcomes: Int[np.ndarray, " M"], num_objects: int) -> float | None:
    """The area under the curve of the highest precision at each recall or more (VOC2010).

    outcomes: (M,) CORRECT, WRONG or NOT_COUNTED, highest score first

    None without objects.
    """
    if num_objects == 0:
        return None
    correct, precision = _curve(outcomes)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(correct, prepend=0) * envelope) / num_objects)


def _curve(outcomes: Int[np.ndarray, " M"]) -> tuple[Int[np.ndarray, " C"], Float[np.ndarray, " C"]]:
    """The number of correct detections and the precision after each of the C detections that count."""
    correct = np.cumsum(outcomes[outcomes != NOT_COUNTED])
    return correct, correct / np.arange(1, len(correct) + 1)


def _outcomes(dataset: DetectionDataset, flat: FlatDetections) -> Int[np.ndarray, " M"]:
    """CORRECT, WRONG or NOT_COUNTED for every detection: (M,)."""
    groups = group_by_photo_and_class(dataset, flat)
    correct, counted = voc_matches(
        to_xywh(flat.boxes[groups.rows]),
        groups.starts,
        to_xywh(dataset.boxes[groups.objects]),
        groups.first,
        groups.last,
        dataset.crowd[groups.objects],
        dataset.difficult[groups.objects],
        MIN_IOU,
    )
    outcomes = np.empty(len(flat.scores), dtype=np.int64)
    outcomes[groups.rows] = np.where(counted, np.where(correct, CORRECT, WRONG), NOT_COUNTED)
    return outcomes


def _mean(values: Sequence[float | None]) -> float | None:
    measured = [value for value in values if value is not None]
    return float(np.mean(measured)) if measured else None
