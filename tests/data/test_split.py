"""Splits: drawn the same everywhere, every class in train where possible; written, read back, checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxmask.data.class_checks import check_training_classes
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.split import with_split_file, with_splits, write_split
from boxmask.errors import LabelError

Make = Callable[..., DetectionDataset]


def sizes(dataset: DetectionDataset) -> tuple[int, ...]:
    return tuple(int((dataset.splits == split).sum()) for split in ("train", "val", "test"))


# ---------------------------------------------------------------- drawing


def test_without_splits_70_10_20_are_drawn_and_it_is_said(dataset_of: Make) -> None:
    dataset = with_splits(dataset_of([[0]] * 100), seed=3)
    assert sizes(dataset) == (70, 10, 20)
    assert dataset.notes == (
        "the set has no splits: drew 20% for test and 10% for val from 100 photos with seed 3, "
        "giving 70 train, 10 val, 20 test",
    )


def test_the_draw_is_the_same_on_every_machine(dataset_of: Make) -> None:
    dataset = with_splits(dataset_of([[0]] * 10), seed=0)
    assert dataset.splits.tolist() == [
        "train",
        "train",
        "test",
        "train",
        "train",
        "train",
        "test",
        "val",
        "train",
        "train",
    ]
    assert with_splits(dataset_of([[0]] * 10), seed=0).splits.tolist() == dataset.splits.tolist()
    assert with_splits(dataset_of([[0]] * 10), seed=1).splits.tolist() != dataset.splits.tolist()


@pytest.mark.parametrize(
    ("photos", "expected"), [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (4, (2, 1, 1))]
)
def test_very_few_photos(dataset_of: Make, photos: int, expected: tuple[int, ...]) -> None:
    assert sizes(with_splits(dataset_of([[0]] * photos))) == expected


def test_a_rare_class_stays_in_train(dataset_of: Make) -> None:
    for seed in range(20):
        dataset = with_splits(dataset_of([[0]] * 20 + [[0, 1]] + [[2]] * 2), seed=seed)
        assert dataset.splits[20] == "train"
        assert "train" in dataset.splits[21:].tolist()
        check_training_classes(dataset)


def test_where_every_photo_is_the_only_one_of_its_class_all_splits_still_get_one(dataset_of: Make) -> None:
    dataset = with_splits(dataset_of([[number] for number in range(12)]))
    assert sizes(dataset) == (10, 1, 1)


@given(
    st.lists(st.lists(st.integers(0, 4), max_size=3), min_size=1, max_size=40),
    st.integers(0, 1000),
)
@settings(max_examples=150, deadline=None)
def test_a_draw_is_whole_and_shows_training_every_class_if_it_can(
    dataset_of: Make, classes: list[list[int]], seed: int
) -> None:
    dataset = with_splits(dataset_of(classes), seed=seed)
    train, val, test = sizes(dataset)
    assert train + val + test == len(classes)
    assert train >= 1
    assert test >= (len(classes) > 1)
    assert val >= (len(classes) > 2)
    photos_needed = len({label for photo in classes for label in photo})
    if len(classes) >= photos_needed + 2:
        check_training_classes(dataset)


@given(st.permutations(list(range(8))), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_only_names_and_classes_matter_for_the_draw(dataset_of: Make, order: list[int], seed: int) -> None:
    dataset = dataset_of([[0]] * 8)
    shuffled_ids = replace(dataset, image_ids=np.array(order))
    assert with_splits(dataset, seed).splits.tolist() == with_splits(shuffled_ids, seed).splits.tolist()


# ---------------------------------------------------------------- the set's own splits


def test_complete_splits_are_kept_without_a_word(dataset_of: Make) -> None:
    splits = ["train", "val", "test"]
    dataset = with_splits(dataset_of([[0]] * 3, splits))
    assert dataset.splits.tolist() == splits
    assert dataset.notes == ()


@pytest.mark.parametrize(
    ("own", "drawn", "note"),
    [
        (
            ["train"] * 10 + ["test"] * 5,
            (9, 1, 5),
            "the set has no val split: drew 10% for val from 10 photos",
        ),
        (
            ["train"] * 10 + ["val"] * 5,
            (8, 5, 2),
            "the set has no test split: drew 20% for test from 10 photos",
        ),
        (
            ["train"] * 10,
            (7, 1, 2),
            "the set has no test and no val split: drew 20% for test and 10% for val",
        ),
        (
            ["train", "val", "test", "", ""],
            (1, 1, 1),
            "2 photos are in no split and are left out:\n  p003.jpg\n  p004.jpg",
        ),
        (
            ["test"] * 3 + [""] * 10,
            (9, 1, 3),
            "no split is called train: the 10 photos in no split are taken for it",
        ),
        (["val"] * 5, (0, 5, 0), "the set has no photos to train on"),
    ],
)
def test_what_is_missing_is_taken_from_train(
    dataset_of: Make, own: list[str], drawn: tuple[int, ...], note: str
) -> None:
    dataset = with_splits(dataset_of([[0]] * len(own), own))
    assert sizes(dataset) == drawn
    assert dataset.notes[0].startswith(note)
    kept = {file: split for file, split in zip(dataset_of([[0]] * len(own)).files, own, strict=True) if split}
    for file, split in zip(dataset.files, dataset.splits, strict=True):
        assert kept.get(file, "train") in ("train", split)


# ---------------------------------------------------------------- files


def test_a_split_is_written_and_read_back(dataset_of: Make, tmp_path: Path) -> None:
    dataset = with_splits(dataset_of([[0]] * 10), seed=5)
    write_split(dataset, tmp_path / "split.json")
    assert set(json.loads((tmp_path / "split.json").read_text())) == {"train", "val", "test"}
    again = with_split_file(dataset_of([[0]] * 10), tmp_path / "split.json")
    assert again.splits.tolist() == dataset.splits.tolist()
    assert [path.name for path in tmp_path.iterdir()] == ["split.json"]


def test_a_written_split_can_be_read_where_the_set_leaves_photos_out(
    dataset_of: Make, tmp_path: Path
) -> None:
    own = dataset_of([[0]] * 4, ["train", "val", "test", ""])
    write_split(with_splits(own), tmp_path / "split.json")
    again = with_split_file(own, tmp_path / "split.json")
    assert again.splits.tolist() == ["train", "val", "test"]
    assert "1 photos are in no split" in again.notes[0]


def test_nothing_half_written_is_left(dataset_of: Make, tmp_path: Path) -> None:
    (tmp_path / "split.json").mkdir()
    with pytest.raises(OSError, match=r"split\.json"):
        write_split(dataset_of([[0]]), tmp_path / "split.json")
    assert [path.name for path in tmp_path.iterdir()] == ["split.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"train": ["p000.jpg"]}', r"does not name \(1\):\n  p001\.jpg"),
        ('{"train": ["p000.jpg", "p001.jpg", "q.jpg"]}', r"does not have \(1\):\n  q\.jpg"),
        ('{"train": ["p000.jpg", "p001.jpg"], "val": ["p001.jpg"]}', r"names twice \(1\):\n  p001\.jpg"),
        ('{"train": ["p000.jpg", "p001.jpg"], "dev": []}', "a split file holds"),
        ('["p000.jpg", "p001.jpg"]', "a split file holds"),
        ('{"train": [1]}', "a split file holds"),
        (b'{"train": ["\xff"]}', "byte 12 is not UTF-8"),
        ('{"train": ["p000.jpg",]}', r"split\.json:1:\d+: broken JSON"),
    ],
)
def test_a_split_file_that_does_not_fit(
    dataset_of: Make, tmp_path: Path, content: str | bytes, message: str
) -> None:
    (tmp_path / "split.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(LabelError, match=message):
        with_split_file(dataset_of([[0]] * 2), tmp_path / "split.json")


def test_a_missing_split_file(dataset_of: Make, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="there is no such split file"):
        with_split_file(dataset_of([[0]]), tmp_path / "absent.json")
