"""One order for classes and objects, whatever order the label files have.

Labels that say the same train the same model. See docs/decisions/0036-order-of-labels.md.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.rle_masks import RleMasks


def in_canonical_order(dataset: DetectionDataset) -> DetectionDataset:
    """The same data set with classes sorted by name, and the objects of each photo by class and place."""
    names = tuple(sorted(dataset.class_names))
    new_label = np.array([names.index(name) for name in dataset.class_names], dtype=np.int64)
    renumbered = replace(dataset, class_names=names, labels=new_label[dataset.labels])
    return renumbered.with_objects(_order_of_objects(renumbered), dataset.offsets)


def _order_of_objects(dataset: DetectionDataset) -> Int[np.ndarray, " N"]:
    """The rows by photo, class, box, crowd, difficult, and mask."""
    photo_of = np.repeat(np.arange(len(dataset)), np.diff(dataset.offsets))
    columns = (photo_of, dataset.labels, *dataset.boxes.T, dataset.crowd, dataset.difficult)
    rows = np.lexsort(columns[::-1])
    keys = np.stack(columns)[:, rows]  # float64 holds all of them exactly
    is_repeat = (keys[:, 1:] == keys[:, :-1]).all(axis=0)
    if not len(dataset.runs) or not is_repeat.any():
        return rows
    groups = np.split(rows, np.flatnonzero(~is_repeat) + 1)
    masks = dataset.rle_masks
    return np.concatenate([_sort_by_mask(group, masks) if len(group) > 1 else group for group in groups])


def _sort_by_mask(rows: Int[np.ndarray, " G"], masks: RleMasks) -> Int[np.ndarray, " G"]:
    def runs(row: int) -> tuple[int, ...]:
        return tuple(masks.runs[masks.offsets[row] : masks.offsets[row + 1]].tolist())

    return np.array(sorted(rows.tolist(), key=runs), dtype=np.int64)
