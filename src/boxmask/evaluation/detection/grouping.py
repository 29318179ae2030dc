"""Detections and objects in groups of one photo and class, as the matching loops need them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import FlatDetections, photo_of_objects


@dataclass(frozen=True)
class PhotoClassGroups:
    """G groups of M detections and N objects, class by class and in each by the order of the image ids.

    rows:         (M,) of the detections in `FlatDetections`, highest score first within each group
    starts:       (G + 1,) where the detections of each group start
    objects:      (N,) rows of the objects in the data set
    first, last:  (G,) where the objects of each group start and end
    """

    rows: Int[np.ndarray, " M"]
    starts: Int[np.ndarray, " G+1"]
    objects: Int[np.ndarray, " N"]
    first: Int[np.ndarray, " G"]
    last: Int[np.ndarray, " G"]


def group_by_photo_and_class(dataset: DetectionDataset, flat: FlatDetections) -> PhotoClassGroups:
    """Sort detections and objects into groups. There is no group for objects without detections."""
    rank = np.empty(len(dataset), dtype=np.int64)
    rank[np.argsort(dataset.image_ids, kind="stable")] = np.arange(len(dataset))
    keys = flat.labels * len(dataset) + rank[flat.photos]
    rows = np.lexsort((-flat.scores, keys))
    is_first = np.diff(keys[rows], prepend=-1) != 0
    object_keys = dataset.labels * len(dataset) + rank[photo_of_objects(dataset)]
    objects = np.argsort(object_keys, kind="stable")
    groups = keys[rows][is_first]
    return PhotoClassGroups(
        rows,
        np.append(np.flatnonzero(is_first), len(rows)),
        objects,
        np.searchsorted(object_keys[objects], groups, side="left"),
        np.searchsorted(object_keys[objects], groups, side="right"),
    )


def to_xywh(boxes: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, "N 4"]:
    """Boxes xyxy as x, y, width, height in float64."""
    corners = boxes.astype(np.float64)
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
