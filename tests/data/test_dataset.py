"""The index: what belongs to which photo, and a fingerprint that notices any change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from boxmask.data.dataset import Dataset


def tiny() -> Dataset:
    """Three photos: two objects, none, one."""
    return Dataset(
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


def test_what_counts_is_neither_crowd_nor_difficult() -> None:
    assert tiny().counted.tolist() == [True, False, False]


def test_a_subset_keeps_objects_with_their_photos() -> None:
    subset = tiny().subset(np.array([2, 0]))
    assert subset.target(0).boxes.tolist() == [[2, 2, 30, 40]]
    assert len(subset.target(1).boxes) == 2
    assert tiny().split("val").offsets.tolist() == [0, 0]
    assert len(tiny().split("test")) == 0


def test_the_fingerprint_is_the_same_everywhere() -> None:
    assert tiny().fingerprint() == "cd962eccaf15dd40"
    swapped = replace(tiny(), boxes=tiny().boxes.astype(">f4"), labels=tiny().labels.astype(np.int32))
    assert swapped.fingerprint() == tiny().fingerprint()
    assert replace(tiny(), root=Path("/other"), notes=("said",)).fingerprint() == tiny().fingerprint()


CHANGES: list[Callable[[Dataset], dict[str, Any]]] = [
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
def test_the_fingerprint_notices(change: Callable[[Dataset], dict[str, Any]]) -> None:
    assert replace(tiny(), **change(tiny())).fingerprint() != tiny().fingerprint()
