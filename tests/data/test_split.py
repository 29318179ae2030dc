"""Splits are reproducible, keep every class in train if possible, and survive writing and reading."""

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
from boxmask.data.split import draw_missing_splits
from boxmask.data.split_file import apply_split_file, write_split_file
from boxmask.errors import LabelError

Make = Callable[..., DetectionDataset]


def sizes(dataset: DetectionDataset) -> tuple[int, ...]:
    return tuple(int((dataset.splits == split).sum()) for split in ("train", "val", "test"))


# ---------------------------------------------------------------- drawing


def test_without_splits_70_10_20_percent_are_drawn_and_noted(dataset_of: Make) -> None:
    dataset = draw_missing_splits(dataset_of([[0]] * 100), seed=3)
    assert sizes(dataset) == (70, 10, 20)
    assert dataset.notes == (
        "the data set has no splits: drew 20% for test and 10% for val from 100 photos with seed 3; "
        "now 70 train, 10 val, 20 test",
    )


def test_the_draw_is_the_same_on_every_machine(dataset_of: Make) -> None:
    dataset = draw_missing_splits(dataset_of([[0]] * 10), seed=0)
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
    assert draw_missing_splits(dataset_of([[0]] * 10), seed=0).splits.tolist() == dataset.splits.tolist()
    assert draw_missing_splits(dataset_of([[0]] * 10), seed=1).splits.tolist() != dataset.splits.tolist()


@pytest.mark.parametrize(
    ("photos", "expected"), [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (4, (2, 1, 1))]
)
def test_very_few_photos(dataset_of: Make, photos: int, expected: tuple[int, ...]) -> None:
    assert sizes(draw_missing_splits(dataset_of([[0]] * photos))) == expected


def test_a_rare_class_stays_in_train(dataset_of: Make) -> None:
    for seed in range(20):
        dataset = draw_missing_splits(dataset_of([[0]] * 20 + [[0, 1]] + [[2]] * 2), seed=seed)
        assert dataset.splits[20] == "train"
        assert "train" in dataset.splits[21:].tolist()
        check_training_classes(dataset)


def test_every_split_gets_a_photo_even_if_each_photo_is_the_only_one_of_its_class(dataset_of: Make) -> None:
    dataset = draw_missing_splits(dataset_of([[number] for number in range(12)]))
    assert sizes(dataset) == (10, 1, 1)


@given(
    st.lists(st.lists(st.integers(0, 4), max_size=3), min_size=1, max_size=40),
    st.integers(0, 1000),
)
@settings(max_examples=150, deadline=None)
def test_random_splits_are_complete_and_train_shows_every_class_if_possible(
    dataset_of: Make, classes: list[list[int]], seed: int
) -> None:
    dataset = draw_missing_splits(dataset_of(classes), seed=seed)
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
def test_random_splits_depend_on_names_and_classes_only(
    dataset_of: Make, order: list[int], seed: int
) -> None:
    dataset = dataset_of([[0]] * 8)
    shuffled_ids = replace(dataset, image_ids=np.array(order))
    assert (
        draw_missing_splits(dataset, seed).splits.tolist()
        == draw_missing_splits(shuffled_ids, seed).splits.tolist()
    )


# ---------------------------------------------------------------- the set's own splits


def test_complete_splits_stay_as_they_are(dataset_of: Make) -> None:
    splits = ["train", "val", "test"]
    dataset = draw_missing_splits(dataset_of([[0]] * 3, splits))
    assert dataset.splits.tolist() == splits
    assert dataset.notes == ()


@pytest.mark.parametrize(
    ("own", "drawn", "note"),
    [
        (
            ["train"] * 10 + ["test"] * 5,
            (9, 1, 5),
            "the data set has no val split: drew 10% for val from 10 photos",
        ),
        (
            ["train"] * 10 + ["val"] * 5,
            (8, 5, 2),
            "the data set has no test split: drew 20% for test from 10 photos",
        ),
        (
            ["train"] * 10,
            (7, 1, 2),
            "the data set has no test and no val split: drew 20% for test and 10% for val",
        ),
        (
            ["train", "val", "test", "", ""],
            (1, 1, 1),
            "left out: 2 photos in no split:\n  p003.jpg\n  p004.jpg",
        ),
        (
            ["test"] * 3 + [""] * 10,
            (9, 1, 3),
            "no photo is in train: the 10 photos in no split are used",
        ),
        (["val"] * 5, (0, 5, 0), "the data set has no photos to train on"),
    ],
)
def test_missing_splits_are_drawn_from_train(
    dataset_of: Make, own: list[str], drawn: tuple[int, ...], note: str
) -> None:
    dataset = draw_missing_splits(dataset_of([[0]] * len(own), own))
    assert sizes(dataset) == drawn
    assert dataset.notes[0].startswith(note)
    kept = {file: split for file, split in zip(dataset_of([[0]] * len(own)).files, own, strict=True) if split}
    for file, split in zip(dataset.files, dataset.splits, strict=True):
        assert kept.get(file, "train") in ("train", split)


# ---------------------------------------------------------------- files


def test_a_written_split_file_gives_the_same_splits(dataset_of: Make, tmp_path: Path) -> None:
    dataset = draw_missing_splits(dataset_of([[0]] * 10), seed=5)
    write_split_file(dataset, tmp_path / "split.json")
    written = json.loads((tmp_path / "split.json").read_text())
    assert set(written) == {"train", "val", "test", "contents", "drawn"}
    assert written["drawn"] == {
        "seed": 5,
        "shares": {"test": 0.2, "val": 0.1},
        "group_by": None,
        "vanished": {},
    }
    again = apply_split_file(dataset_of([[0]] * 10), tmp_path / "split.json")
    assert again.splits.tolist() == dataset.splits.tolist()
    assert [path.name for path in tmp_path.iterdir()] == ["split.json"]


def test_a_written_split_can_be_read_where_the_set_leaves_photos_out(
    dataset_of: Make, tmp_path: Path
) -> None:
    own = dataset_of([[0]] * 4, ["train", "val", "test", ""])
    write_split_file(draw_missing_splits(own), tmp_path / "split.json")
    again = apply_split_file(own, tmp_path / "split.json")
    assert again.splits.tolist() == ["train", "val", "test"]
    assert "left out: 1 photo in no split" in again.notes[0]


def test_no_partial_split_file_is_left_behind(dataset_of: Make, tmp_path: Path) -> None:
    (tmp_path / "split.json").mkdir()
    with pytest.raises(OSError, match=r"split\.json"):
        write_split_file(dataset_of([[0]]), tmp_path / "split.json")
    assert [path.name for path in tmp_path.iterdir()] == ["split.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"train": ["p000.jpg"]}', r"does not name \(1\):\n  p001\.jpg"),
        ('{"train": ["p000.jpg", "p001.jpg", "q.jpg"]}', r"lacks \(1\):\n  q\.jpg"),
        ('{"train": ["p000.jpg", "p001.jpg"], "val": ["p001.jpg"]}', r"names twice \(1\):\n  p001\.jpg"),
        ('{"train": ["p000.jpg", "p001.jpg"], "dev": []}', "expected {"),
        ('["p000.jpg", "p001.jpg"]', "expected {"),
        ('{"train": [1]}', "expected {"),
        (b'{"train": ["\xff"]}', "byte 13 of this line is not UTF-8"),
        ('{"train": ["p000.jpg",]}', r"split\.json:1:\d+: broken JSON"),
    ],
)
def test_a_wrong_split_file_is_refused(
    dataset_of: Make, tmp_path: Path, content: str | bytes, message: str
) -> None:
    (tmp_path / "split.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(LabelError, match=message):
        apply_split_file(dataset_of([[0]] * 2), tmp_path / "split.json")


def test_a_missing_split_file(dataset_of: Make, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no such split file"):
        apply_split_file(dataset_of([[0]]), tmp_path / "absent.json")


def test_a_split_file_may_use_backslashes(dataset_of: Make, tmp_path: Path) -> None:
    dataset = dataset_of([[0]] * 2)
    dataset = replace(dataset, files=np.array(["a/p.jpg", "b/p.jpg"]))
    (tmp_path / "split.json").write_text(json.dumps({"train": ["a\\p.jpg"], "test": ["b/p.jpg"]}))
    assert apply_split_file(dataset, tmp_path / "split.json").splits.tolist() == ["train", "test"]
