"""Drawn splits keep groups of photos, and copies, on one side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.data.groups.split import draw_grouped_splits
from boxmask.data.split import draw_missing_splits, draw_new_splits
from boxmask.errors import UsageError

Make = Callable[..., DetectionDataset]


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(0, 50), st.integers(1, 4))
def test_no_group_is_on_two_sides(dataset_of: Make, groups: list[int], seed: int, num_classes: int) -> None:
    dataset = dataset_of([[number % num_classes] for number in range(len(groups))])
    drawn = draw_missing_splits(dataset, seed, np.array(groups))
    sides = {(group, split) for group, split in zip(groups, drawn.splits.tolist(), strict=True)}
    assert len(sides) == len(set(groups))
    assert "train" in drawn.splits
    if len(set(groups)) >= 3:
        assert set(drawn.splits.tolist()) == {"train", "val", "test"}


@given(st.integers(1, 40), st.integers(0, 50))
def test_groups_of_one_change_nothing(dataset_of: Make, count: int, seed: int) -> None:
    dataset = dataset_of([[number % 3] for number in range(count)])
    drawn = draw_missing_splits(dataset, seed, np.arange(count)[::-1])
    assert drawn.splits.tolist() == draw_missing_splits(dataset, seed).splits.tolist()


def test_train_keeps_the_group_of_a_rare_class(dataset_of: Make) -> None:
    groups = np.array([0] * 3 + [1] * 3 + list(range(2, 20)))
    for seed in range(20):
        drawn = draw_missing_splits(dataset_of([[1]] * 2 + [[0]] * 22), seed, groups)
        assert drawn.splits[:3].tolist() == ["train"] * 3


def test_a_new_split_replaces_that_of_the_data_set(dataset_of: Make) -> None:
    dataset = dataset_of([[0]] * 20, ["test"] * 10 + ["train"] * 10)
    drawn = draw_new_splits(dataset, 0, np.repeat(np.arange(10), 2))
    assert sorted(np.unique(drawn.splits, return_counts=True)[1].tolist()) == [2, 4, 14]
    assert drawn.notes[0].startswith("a new split replaces the data set's own: drew 20% for test")


def test_group_by_name_keeps_videos_on_one_side(dataset_of: Make) -> None:
    files = np.array([f"v{number // 5}_{number % 5}.jpg" for number in range(50)])
    dataset = dataset_of([[0]] * 50)
    dataset.files[:] = files
    drawn = draw_grouped_splits(dataset, 0, "name")
    sides = {(file.split("_")[0], split) for file, split in zip(files, drawn.splits, strict=True)}
    assert len(sides) == 10
    assert drawn.notes[-1] == "10 groups of photos kept on one side each"


def test_a_drawn_split_keeps_copies_on_one_side(
    write_voc: Callable[..., Path], scene: Callable[..., Image.Image]
) -> None:
    root = write_voc({f"{number:02}": [("cat", 1, 1, 9, 9)] for number in range(40)})
    for number in range(40):
        scene(number % 30, (60, 40)).save(root / "JPEGImages" / f"{number:02}.jpg")
    for seed in range(5):
        dataset = read_detection(root, split_seed=seed)
        split_of = dict(zip(dataset.files.tolist(), dataset.splits.tolist(), strict=True))
        for number in range(10):
            pair = [f"JPEGImages/{copy:02}.jpg" for copy in (number, number + 30)]
            assert split_of[pair[0]] == split_of[pair[1]]
        assert set(split_of.values()) == {"train", "val", "test"}


def test_equal_photos_alone_are_split_with_a_note(write_voc: Callable[..., Path]) -> None:
    root = write_voc({f"{number:02}": [("cat", 1, 1, 9, 9)] for number in range(10)})
    dataset = read_detection(root)
    assert set(dataset.splits.tolist()) == {"train", "val", "test"}
    assert dataset.notes[-1].startswith("photos with the same bytes are in several splits")


def test_group_by_a_pattern_reads_no_pixels(
    write_voc: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_voc({f"v{number // 4}_{number % 4}": [("cat", 1, 1, 9, 9)] for number in range(40)})
    monkeypatch.setattr("boxmask.data.groups.group_by.examine_photos", None)
    dataset = read_detection(root, group_by=r"v\d+")
    assert dataset.notes[-1] == "10 groups of photos kept on one side each"


def test_too_few_groups_are_an_error(dataset_of: Make) -> None:
    with pytest.raises(UsageError, match=r"the photos are in 1 group, too few for train, val, test"):
        draw_grouped_splits(dataset_of([[0]] * 20), 0, "folder")
    assert len(draw_grouped_splits(dataset_of([[0]]), 0, "folder")) == 1


def test_progress_is_reported_while_photos_are_examined(dataset_of: Make, tmp_path: Path) -> None:
    """Only groups that need the pixels examine photos."""
    files = [f"{number:02}.png" for number in range(12)]
    for number, file in enumerate(files):
        Image.new("RGB", (32, 24), (20 * number, 90, 200 - 9 * number)).save(tmp_path / file)
    dataset = replace(dataset_of([[0]] * 12), root=tmp_path, files=np.array(files))
    calls: list[tuple[int, int]] = []
    draw_grouped_splits(dataset, 0, r"\d+", progress=lambda done, total: calls.append((done, total)))
    assert calls == []
    draw_grouped_splits(dataset, 0, "capture-time", progress=lambda done, total: calls.append((done, total)))
    assert calls == [(number, 12) for number in range(1, 13)]
