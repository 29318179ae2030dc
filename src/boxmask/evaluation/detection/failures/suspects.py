"""Labels that the detections contradict, because they are missing, wrong or badly placed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Shaped

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.failures.analysis import SuspectKind, SuspectLabel
from boxmask.evaluation.detection.failures.make_cases import to_box
from boxmask.evaluation.failures.cases import Case
from boxmask.evaluation.suspicions.comparison import LabelComparison
from boxmask.evaluation.suspicions.photo_comparison import UNKNOWN, LabeledObjects
from boxmask.evaluation.suspicions.suspicions import NO_OBJECT
from boxmask.types import Detections


def suspect_labels(
    dataset: DetectionDataset, detections: Sequence[Detections], class_names: tuple[str, ...]
) -> tuple[SuspectLabel, ...]:
    """The suspect labels: missing ones, then wrong classes, then bad boxes; the surest of each first.

    dataset:     with the labels of all classes, because those that the detector does not know explain
                 detections as well
    class_names: of the detections, a part of those of `dataset`

    Masks count as boxes.
    """
    index = {name: label for label, name in enumerate(class_names)}
    label_of = np.array([index.get(name, UNKNOWN) for name in dataset.class_names], dtype=np.int64)
    comparison = LabelComparison(len(class_names))
    for photo, found in enumerate(detections):
        rows = dataset.rows(photo)
        boxes = dataset.boxes[rows].astype(np.float64)
        objects = LabeledObjects(boxes, label_of[dataset.labels[rows]], ~dataset.counted[rows])
        comparison.add(photo, found, np.arange(rows.start, rows.stop), objects)
    suspects = comparison.suspects()
    return (
        *_cases("missing", suspects.missing, dataset, class_names),
        *_cases("wrong class", suspects.wrong_class, dataset, class_names),
        *_cases("bad box", suspects.bad_box, dataset, class_names),
    )


def _cases(
    kind: SuspectKind,
    suspicions: Shaped[np.ndarray, " S"],
    dataset: DetectionDataset,
    class_names: tuple[str, ...],
) -> list[SuspectLabel]:
    return [SuspectLabel(kind, _case(suspicion, dataset, class_names)) for suspicion in suspicions]


def _case(suspicion: Any, dataset: DetectionDataset, class_names: tuple[str, ...]) -> Case:
    row = int(suspicion["row"])
    labeled = {} if row == NO_OBJECT else _object(dataset, row, float(suspicion["iou"]))
    return Case(
        photo=int(suspicion["photo"]),
        predicted=class_names[int(suspicion["label"])],
        score=float(suspicion["score"]),
        found_box=to_box(suspicion["box"]),
        **labeled,
    )


def _object(dataset: DetectionDataset, row: int, iou: float) -> dict[str, Any]:
    labeled = dataset.class_names[int(dataset.labels[row])]
    return {"labeled": labeled, "labeled_box": to_box(dataset.boxes[row]), "row": row, "iou": iou}
