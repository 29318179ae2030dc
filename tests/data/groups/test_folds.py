"""Folds: every photo is a test photo once, and groups of photos are on one side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.data.groups.folds import assign_folds, classes_not_shown, draw_folds
from boxmask.data.split_file import apply_split_file, write_split_file
from boxmask.errors import UsageError

Make = Callable[..., DetectionDataset]


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(2, 6), st.integers(0, 50))
def test_groups_are_in_one_fold_and_no_fold_is_empty(groups: list[int], num_folds: int, seed: int) -> None:
    counts = np.eye(3, dtype=np.int64)[np.arange(len(groups)) % 3]
    folds = assign_folds(counts, np.array(groups), min(num_folds, len(set(groups))), seed)
    assert len(set(zip(groups, folds.tolist(), strict=True))) == len(set(groups))
    assert set(folds.tolist()) == set(range(1, min(num_folds, len(set(groups))) + 1))


@given(st.integers(10, 60), st.integers(2, 6), st.integers(0, 50))
def test_folds_have_the_same_size_and_rare_classes_are_spread(count: int, num_folds: int, seed: int) -> None:
    counts = np.ones((count, 2), dtype=np.int64)
    counts[num_folds:, 1] = 0  # the second class is in as many photos as there are folds
    folds = assign_folds(counts, np.arange(count), num_folds, seed)
    sizes = np.bincount(folds)[1:]
    assert sizes.max() - sizes.min() <= 1
    assert sorted(folds[:num_folds].tolist()) == list(range(1, num_folds + 1))


def named(dataset: DetectionDataset, per_group: int) -> DetectionDataset:
    dataset.files[:] = [f"v{photo // per_group}_{photo % per_group}.jpg" for photo in range(len(dataset))]
    return dataset


def test_every_photo_is_a_test_photo_once(dataset_of: Make) -> None:
    dataset = named(dataset_of([[0]] * 40, ["test"] * 20 + ["train"] * 20), 4)
    folds = draw_folds(dataset, 5, 0, "name")
    tested = np.stack([fold.splits == "test" for fold in folds])
    assert tested.sum(axis=0).tolist() == [1] * 40
    for fold in folds:
        assert set(fold.splits.tolist()) == {"train", "val", "test"}
        groups = {(file.split("_")[0], split) for file, split in zip(fold.files, fold.splits, strict=True)}
        assert len(groups) == 10
        assert fold.draw is not None
        assert fold.draw.group_by == "name"


def test_copies_are_in_one_fold(tmp_path: Path, write_photos: Callable[..., Path]) -> None:
    dataset = read_detection(write_photos(tmp_path, 9))
    (tmp_path / dataset.files[5]).write_bytes((tmp_path / dataset.files[2]).read_bytes())
    for fold in draw_folds(dataset, 3):
        assert fold.splits[2] == fold.splits[5]


@pytest.fixture
def write_photos() -> Callable[..., Path]:
    """Writes photos with one object each, as COCO."""
    import json

    def write(root: Path, count: int) -> Path:
        for photo in range(count):
            Image.new("RGB", (20, 20), (photo, 0, 0)).save(root / f"{photo}.png")
        images = [{"id": n, "file_name": f"{n}.png", "width": 20, "height": 20} for n in range(count)]
        boxes = [
            {"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 9, 9], "area": 81, "iscrowd": 0}
            for n in range(count)
        ]
        content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cat"}]}
        (root / "labels.json").write_text(json.dumps(content))
        return root

    return write


def test_a_fold_is_read_as_it_was_written(tmp_path: Path, write_photos: Callable[..., Path]) -> None:
    dataset = read_detection(write_photos(tmp_path, 9))
    fold = draw_folds(dataset, 3)[1]
    write_split_file(fold, tmp_path / "fold.json")
    assert apply_split_file(dataset, tmp_path / "fold.json").splits.tolist() == fold.splits.tolist()


def test_more_folds_than_groups(dataset_of: Make) -> None:
    with pytest.raises(
        UsageError, match=r"--folds 5: --group-by name .* finds 4 groups of photos\. .* 4 folds"
    ):
        draw_folds(named(dataset_of([[0]] * 12), 3), 5, 0, "name")
    with pytest.raises(UsageError, match="Label more photos"):
        draw_folds(named(dataset_of([[0]] * 12), 6), 2, 0, "name")


def test_classes_that_no_training_photo_shows(dataset_of: Make) -> None:
    dataset = dataset_of([[0], [0], [1]], ["train", "val", "test"])
    assert classes_not_shown(dataset) == (dataset.class_names[1],)
