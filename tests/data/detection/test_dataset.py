"""The index: objects stay with their photos, and the fingerprint changes with any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.rle_masks import RleMasks
from boxmask.geometry import rle
from boxmask.masks import Masks


def tiny() -> DetectionDataset:
    """Three photos: two objects, none, one."""
    return DetectionDataset(
        root=Path("somewhere"),
        class_names=("cat", "dög"),
        files=np.array(["a.jpg", "b.jpg", "c.jpg"]),
        image_ids=np.arange(3),
        sizes=np.full((3, 2), 50, dtype=np.int32),
        splits=np.array(["train", "val", "train"]),
        offsets=np.array([0, 2, 2, 3]),
        boxes=np.array([[0, 0, 5, 5], [1, 1, 9, 9], [2, 2, 30, 40]], dtype=np.float32),
        labels=np.array([0, 1, 1]),
        areas=np.array([25, 64, 1064], dtype=np.float32),
        crowd=np.array([False, True, False]),
        difficult=np.array([False, False, True]),
    )


def test_target_ignores_crowd_and_difficult() -> None:
    target = tiny().target(0)
    assert target.boxes.tolist() == [[0, 0, 5, 5], [1, 1, 9, 9]]
    assert target.labels.dtype == torch.int64
    assert target.ignore.tolist() == [False, True]
    assert tiny().target(1).boxes.shape == (0, 4)
    assert tiny().target(2).ignore.tolist() == [True]


def test_crowd_and_difficult_objects_do_not_count() -> None:
    assert tiny().counted.tolist() == [True, False, False]


def test_a_subset_keeps_objects_with_their_photos() -> None:
    subset = tiny().subset(np.array([2, 0]))
    assert subset.target(0).boxes.tolist() == [[2, 2, 30, 40]]
    assert len(subset.target(1).boxes) == 2
    assert tiny().split("val").offsets.tolist() == [0, 0]
    assert len(tiny().split("test")) == 0


def test_the_fingerprint_does_not_depend_on_the_machine_or_folder() -> None:
    assert tiny().fingerprint() == "cd962eccaf15dd40"
    swapped = replace(tiny(), boxes=tiny().boxes.astype(">f4"), labels=tiny().labels.astype(np.int32))
    assert swapped.fingerprint() == tiny().fingerprint()
    assert replace(tiny(), root=Path("/other"), notes=("a note",)).fingerprint() == tiny().fingerprint()


def has_mask() -> DetectionDataset:
    """The same, with known masks of the first and the last object."""
    full = np.zeros((3, 50, 50), dtype=bool)
    full[0, 1:4, 0:5] = full[2, 2:40, 2:30] = True
    first, _, last = rle.encode(Masks.from_dense(full))
    masks = RleMasks.from_run_lengths([first, first[:0], last])
    return replace(tiny(), runs=masks.runs, run_offsets=masks.offsets)


def test_masks_of_a_photo() -> None:
    assert has_mask().has_mask.tolist() == [True, False, True]
    target = has_mask().target(0)
    assert target.masks is not None
    assert target.masks.size == (50, 50)
    assert target.masks.boxes().tolist() == [[0, 1, 5, 4], [0, 0, 0, 0]]
    masks = has_mask().masks(1)
    assert masks is not None
    assert len(masks) == 0


def test_a_data_set_without_runs_has_no_masks() -> None:
    assert tiny().masks(0) is None
    assert tiny().target(0).masks is None
    assert tiny().has_mask.tolist() == [False] * 3
    assert tiny().run_offsets.tolist() == [0] * 4


def test_masks_stay_with_their_objects() -> None:
    subset = has_mask().subset(np.array([2, 1, 0]))
    assert subset.has_mask.tolist() == [True, True, False]
    masks = subset.masks(0)
    assert masks is not None
    assert masks.boxes().tolist() == [[2, 2, 30, 40]]
    assert has_mask().split("val").masks(0) is None
    only = has_mask().with_objects(np.array([False, True, True]), np.array([0, 1, 1, 2]))
    assert only.has_mask.tolist() == [False, True]
    assert only.labels.tolist() == [1, 1]


def test_masks_of_another_number_of_objects_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"run_offsets: expected \(length, last value\) \(4, 2\), found \(3, 2\)"
    ):
        replace(tiny(), runs=np.array([5, 2495], dtype=np.int32), run_offsets=np.array([0, 0, 2]))


def test_the_fingerprint_changes_with_masks() -> None:
    prints = {tiny().fingerprint(), has_mask().fingerprint()}
    one = replace(has_mask(), runs=has_mask().runs + np.int32(1))
    other = replace(has_mask(), run_offsets=has_mask().run_offsets[[0, 0, 1, 3]])
    assert len(prints | {one.fingerprint(), other.fingerprint()}) == 4
    wider = replace(has_mask(), runs=has_mask().runs.astype(np.int64))
    assert wider.fingerprint() == has_mask().fingerprint()


CHANGES: list[Callable[[DetectionDataset], dict[str, Any]]] = [
    lambda d: {"class_names": ("dög", "cat")},
    lambda d: {"files": np.array(["a.jpg", "b.jpg", "d.jpg"])},
    lambda d: {"sizes": d.sizes + 1},
    lambda d: {"splits": np.array(["train", "val", "test"])},
    lambda d: {"offsets": np.array([0, 1, 2, 3])},
    lambda d: {"boxes": d.boxes + np.float32(1e-3)},
    lambda d: {"labels": 1 - d.labels},
    lambda d: {"difficult": ~d.difficult},
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_fingerprint_changes(change: Callable[[DetectionDataset], dict[str, Any]]) -> None:
    assert replace(tiny(), **change(tiny())).fingerprint() != tiny().fingerprint()
