"""Classes and objects have one order for training, whatever order the label files have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boxmask.data.classification.read import read_classification
from boxmask.data.detection.canonical_order import in_canonical_order
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection, read_unsplit_detection
from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.segmentation.read import read_segmentation


def keys(dataset: DetectionDataset, photo: int) -> list[tuple[object, ...]]:
    rows = dataset.rows(photo)
    names = [dataset.class_names[label] for label in dataset.labels[rows]]
    masks = dataset.masks(photo)
    areas = [] if masks is None else masks.areas().tolist()
    return [(name, *box, area) for name, box, area in zip(names, dataset.boxes[rows].tolist(), areas)]  # noqa: B905


def test_classes_are_sorted_by_name_and_objects_by_class_and_place(demo: Path) -> None:
    original, dataset = read_unsplit_detection(demo), read_detection(demo)
    assert original.class_names[:3] == ("zero", "one", "two")  # as in the labels
    assert dataset.class_names == tuple(sorted(original.class_names))
    assert dataset.files.tolist() == original.files.tolist()
    for photo in range(len(dataset)):
        assert keys(dataset, photo) == sorted(keys(original, photo))


def test_masks_and_classes_of_pixels_and_photos_are_in_this_order(demo: Path) -> None:
    names = read_detection(demo).class_names
    assert read_segmentation(demo).class_names == ("background", *names)
    assert read_classification(demo).class_names == names


@pytest.mark.parametrize("crowd", [False, True])
def test_masks_decide_between_objects_that_are_the_same_otherwise(crowd: bool, demo: Path) -> None:
    masks = RleMasks.from_run_lengths([np.array([2, 3, 1]), np.array([1, 4, 1]), np.array([0, 6])])
    dataset = replace(
        read_detection(demo).subset(np.array([0])),
        offsets=np.array([0, 3]),
        boxes=np.tile(np.array([[0, 0, 3, 2]], dtype=np.float32), (3, 1)),
        labels=np.zeros(3, dtype=np.int64),
        areas=np.array([1, 2, 3], dtype=np.float32),
        crowd=np.array([False, False, crowd]),
        difficult=np.zeros(3, dtype=bool),
        runs=masks.runs,
        run_offsets=masks.offsets,
    )
    assert in_canonical_order(dataset).areas.tolist() == ([2, 1, 3] if crowd else [3, 2, 1])


def test_a_data_set_without_objects_stays_as_it_is(demo: Path) -> None:
    dataset = read_detection(demo)
    empty = dataset.with_objects(np.zeros(0, dtype=np.int64), np.zeros(len(dataset) + 1, dtype=np.int64))
    assert in_canonical_order(empty).fingerprint() == empty.fingerprint()
