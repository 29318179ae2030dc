"""Classes and objects have one order, whatever order the label files have."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from boxmask.data.detection.canonical_order import sort_classes, sort_objects
from boxmask.data.detection.read import read_detection
from boxmask.data.detection.rle_masks import RleMasks


def test_names_are_sorted_with_their_new_index() -> None:
    names, index = sort_classes(["ring", "Hook", "hook"])
    assert names == ("Hook", "hook", "ring")
    assert index.tolist() == [2, 0, 1]


def test_classes_are_sorted_by_name_and_objects_by_class_and_place(demo: Path) -> None:
    dataset = read_detection(demo)
    assert dataset.class_names == tuple(sorted(dataset.class_names))
    for photo in range(len(dataset)):
        rows = dataset.rows(photo)
        keys = [
            (label, *box)
            for label, box in zip(dataset.labels[rows].tolist(), dataset.boxes[rows].tolist(), strict=True)
        ]
        assert keys == sorted(keys)


def test_masks_decide_between_objects_with_the_same_box() -> None:
    masks = RleMasks.from_run_lengths([np.array([2, 3, 1]), np.array([1, 4, 1]), np.array([0, 6])])
    arrays = (np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros((3, 4), np.float32))
    ignored = np.array([[True, False, False], [False, False, False]])
    found = sort_objects(np.array([0, 1, 2]), *arrays, ignored, masks)
    assert found.tolist() == [2, 1, 0]  # crowd regions come last
