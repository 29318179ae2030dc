"""The detections of many photos as one row of numpy arrays, the way `DetectionDataset` holds its objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.types import Detections

Kind = Literal["bbox", "segm"]
"""What is compared, in pycocotools' words: boxes, or the pixels of masks."""


@dataclass(frozen=True)
class FlatDetections:
    """M detections of all photos, photo by photo, best first within each.

    photos: (M,) int64, the photo's number in the data set
    boxes:  (M, 4) float64 xyxy in pixels
    scores: (M,) float64
    labels: (M,) int64, counted by the data set's class names
    """

    photos: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]


def flatten(dataset: DetectionDataset, detections: Sequence[Detections]) -> FlatDetections:
    """One photo's detections after another's; `detections[i]` belongs to photo i of `dataset`.

    Raises ValueError where their number differs from the photos', or their class names from the data set's
    (see `boxmask.evaluation.detection.classes.renamed`).
    """
    if len(detections) != len(dataset):
        raise ValueError(f"expected detections for {len(dataset)} photos, found them for {len(detections)}")
    for found in detections:
        if found.class_names != dataset.class_names:
            raise ValueError(f"class names: expected {dataset.class_names}, found {found.class_names}")
    counts = np.array([len(found) for found in detections], dtype=np.int64)
    return FlatDetections(
        np.repeat(np.arange(len(detections)), counts),
        np.concatenate([np.zeros((0, 4)), *(found.boxes.cpu().numpy() for found in detections)]),
        np.concatenate([np.zeros(0), *(found.scores.cpu().numpy() for found in detections)]),
        np.concatenate([np.zeros(0, np.int64), *(found.labels.cpu().numpy() for found in detections)]),
    )


def photo_of_objects(dataset: DetectionDataset) -> NDArray[np.int64]:
    """The number of the photo that each object of `dataset` belongs to: (N,)."""
    return np.repeat(np.arange(len(dataset)), np.diff(dataset.offsets))


def judged_objects(dataset: DetectionDataset, kind: Kind = "bbox") -> NDArray[np.bool_]:
    """(N,) which objects count: for masks, only those whose outline is known."""
    return dataset.counted if kind == "bbox" else dataset.counted & dataset.has_mask


def objects_by_class(dataset: DetectionDataset, kind: Kind = "bbox") -> list[int]:
    """How many objects of each class count."""
    labels = dataset.labels[judged_objects(dataset, kind)]
    return [int(n) for n in np.bincount(labels, minlength=len(dataset.class_names))]
