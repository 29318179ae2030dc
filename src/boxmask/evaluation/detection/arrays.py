"""The detections of many photos in flat numpy arrays, as `DetectionDataset` holds its objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.types import Detections

Kind = Literal["bbox", "segm"]
"""What IoU compares, in the words of pycocotools: boxes ("bbox") or masks ("segm")."""


@dataclass(frozen=True)
class FlatDetections:
    """M detections of all photos, photo by photo, highest score first within each.

    photos: (M,) int64, index of the photo in the data set
    boxes:  (M, 4) float64 xyxy in pixels
    scores: (M,) float64
    labels: (M,) int64, index into the class names of the data set
    """

    photos: Int[np.ndarray, " M"]
    boxes: Float[np.ndarray, "M 4"]
    scores: Float[np.ndarray, " M"]
    labels: Int[np.ndarray, " M"]


def flatten(dataset: DetectionDataset, detections: Sequence[Detections]) -> FlatDetections:
    """Concatenate the detections of all photos. `detections[i]` belongs to photo i of `dataset`.

    Raises ValueError if there is not one `Detections` per photo, if class names differ from those of the data
    set (see `boxmask.evaluation.detection.classes.with_class_names`), or if a score or box is not finite:
    such detections have no place in an order by score.
    """
    if len(detections) != len(dataset):
        raise ValueError(f"detections: expected one per photo ({len(dataset)}), found {len(detections)}")
    for in_photo in detections:
        if in_photo.class_names != dataset.class_names:
            raise ValueError(f"class names: expected {dataset.class_names}, found {in_photo.class_names}")
    counts = np.array([len(in_photo) for in_photo in detections], dtype=np.int64)
    boxes = [in_photo.boxes for in_photo in detections]
    scores = [in_photo.scores for in_photo in detections]
    labels = [in_photo.labels for in_photo in detections]
    for photo, values in enumerate(zip(boxes, scores, strict=True)):
        if not all(np.isfinite(array).all() for array in values):
            raise ValueError(
                f"{dataset.files[photo]}: expected finite boxes and scores, found NaN or infinity"
            )
    return FlatDetections(
        photos=np.repeat(np.arange(len(detections)), counts),
        boxes=np.concatenate([np.zeros((0, 4)), *boxes]),
        scores=np.concatenate([np.zeros(0), *scores]),
        labels=np.concatenate([np.zeros(0, np.int64), *labels]),
    )


def photo_of_objects(dataset: DetectionDataset) -> Int[np.ndarray, " N"]:
    """The index of the photo of each object in `dataset`: (N,)."""
    return np.repeat(np.arange(len(dataset)), np.diff(dataset.offsets))


def counted_objects(dataset: DetectionDataset, kind: Kind = "bbox") -> Bool[np.ndarray, " N"]:
    """Which objects count: (N,). For masks, only objects whose mask is known."""
    return dataset.counted if kind == "bbox" else dataset.counted & dataset.has_mask


def objects_per_class(dataset: DetectionDataset, kind: Kind = "bbox") -> list[int]:
    """The number of objects of each class that count."""
    labels = dataset.labels[counted_objects(dataset, kind)]
    return [int(n) for n in np.bincount(labels, minlength=len(dataset.class_names))]


def objects_per_class_and_photo(dataset: DetectionDataset, kind: Kind = "bbox") -> Int[np.ndarray, "K P"]:
    """The number of objects that count, of each class in each photo: (K, P)."""
    rows = np.flatnonzero(counted_objects(dataset, kind))
    places = dataset.labels[rows] * len(dataset) + photo_of_objects(dataset)[rows]
    shape = len(dataset.class_names), len(dataset)
    return np.bincount(places, minlength=shape[0] * shape[1]).reshape(shape)
