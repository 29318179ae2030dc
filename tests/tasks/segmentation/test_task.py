from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.errors import LabelError
from boxmask.models.table import config_from_json, make_config
from boxmask.runs.recipe import Recipe
from boxmask.tasks.segmentation.class_weights import balanced_weights
from boxmask.tasks.segmentation.task import SegmentationTask
from boxmask.types import IGNORED
from boxmask.weights.checkpoint import load_model

TASK = SegmentationTask()
RESIZED = SimpleNamespace(shorter_side=64, longer_side=96, tile=0)
TILES = SimpleNamespace(shorter_side=64, longer_side=96, tile=48)


@pytest.fixture(scope="module")
def labeled(demo: Path) -> SegmentationDataset:
    return TASK.read(demo, Recipe(model="unet"))


def test_class_weights_of_classes_that_all_photos_show() -> None:
    assert balanced_weights(np.array([[900, 90, 10]])) == pytest.approx((0.1, 1.0, 9.0))
    assert balanced_weights(np.array([[50, 50], [50, 50]])) == (1.0, 1.0)


def test_the_frequency_of_a_class_counts_the_photos_that_show_it() -> None:
    """By hand: 190 / 200, 5 / 100 and 5 / 100 of the pixels of their photos; the median is 0.05."""
    two_photos = np.array([[95, 5, 0], [95, 0, 5]])
    assert balanced_weights(two_photos) == pytest.approx((0.05 / 0.95, 1.0, 1.0))
    empty_photo_added = np.array([[95, 5, 0], [95, 0, 5], [100, 0, 0]])
    assert balanced_weights(empty_photo_added) == pytest.approx((0.05 * 300 / 290, 1.0, 1.0))


def test_a_rare_class_does_not_round_the_weight_of_a_frequent_one_to_zero() -> None:
    pixels = np.array([[300_000_000, 10_000, 8_000]])
    weights = balanced_weights(pixels)
    assert weights == pytest.approx((1 / 30_000, 1.0, 1.25))
    assert np.array(weights) @ pixels[0] == pytest.approx(3 * 10_000)  # each class weighs as much in all
    config = make_config("unet", "default", class_names=("a", "b", "c"), class_weights=weights)
    assert config_from_json("unet", json.loads(json.dumps(asdict(config)))).class_weights == weights


def test_a_class_without_pixels_has_weight_one_and_no_part_in_the_median() -> None:
    assert balanced_weights(np.array([[0, 900, 90, 10]])) == pytest.approx((1.0, 0.1, 1.0, 9.0))
    assert balanced_weights(np.zeros((2, 3), np.int64)) == (1.0, 1.0, 1.0)
    assert balanced_weights(np.zeros((0, 3), np.int64)) == (1.0, 1.0, 1.0)


@given(st.lists(st.lists(st.integers(0, 10**9), min_size=3, max_size=3), min_size=1, max_size=4))
def test_class_weights_are_positive_and_fall_with_the_frequency(pixels: list[list[int]]) -> None:
    counts = np.array(pixels)
    weights = np.array(balanced_weights(counts))
    assert np.isfinite(weights).all()
    assert (weights > 0).all()
    present = counts.sum(0) > 0
    if present.any():
        shown_in = ((counts > 0) * counts.sum(1)[:, None]).sum(0)[present]
        frequency = counts.sum(0)[present] / shown_in
        assert np.allclose(weights[present] * frequency, np.median(frequency))


def test_class_weights_follow_from_the_training_photos(labeled: SegmentationDataset) -> None:
    assert TASK.config_options(labeled, Recipe(model="unet")) == {"class_names": labeled.class_names}
    options = TASK.config_options(labeled, Recipe(model="unet", class_weights="balanced"))
    train = labeled.pixel_counts[labeled.splits == "train"]
    assert options["class_weights"] == balanced_weights(train) != balanced_weights(labeled.pixel_counts)
    assert options["class_weights"][0] < 0.1  # the background


def test_a_sample_is_resized_except_for_tiles(labeled: SegmentationDataset) -> None:
    size = tuple(labeled.sizes[0].tolist())
    image, target = TASK.sample(labeled, 0, RESIZED)
    assert tuple(image.shape[1:]) == tuple(target.labels.shape) == TASK.input_size(size, RESIZED)
    image, target = TASK.sample(labeled, 0, TILES)
    assert tuple(image.shape[1:]) == tuple(target.labels.shape) == size
    assert TASK.input_size(size, TILES) == (48, 48)
    assert torch.equal(target.labels, labeled.target(0).labels)


def test_every_augmented_sample_is_one_tile(labeled: SegmentationDataset) -> None:
    image, target = TASK.sample(labeled, 0, TILES)
    for seed in range(5):
        tile, labels = TASK.augmentation(Recipe(), TILES)(image, target, np.random.default_rng(seed))
        assert tile.shape == (3, 48, 48)
        assert labels.labels.shape == (48, 48)
        assert set(labels.labels.unique().tolist()) <= {*range(11), IGNORED}


def test_validation_gives_metrics_without_intervals(
    labeled: SegmentationDataset, runs: Callable[[str], Path]
) -> None:
    calls: list[tuple[int, int]] = []
    metrics = TASK.validate(
        load_model(runs("unet")),
        labeled.split("val"),
        Recipe(),
        lambda done, total: calls.append((done, total)),
    )
    assert set(TASK.metrics) <= set(metrics)
    assert metrics["images"] == 2
    assert metrics["mIoU_interval"] is None
    assert calls == [(1, 2), (2, 2)]


def test_label_maps_need_a_classes_file(label_maps: Path, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"classes\.txt"):
        TASK.read(label_maps, Recipe(model="unet"))
    (tmp_path / "mine.txt").write_text("ground\ndigit\n")
    dataset = TASK.read(label_maps, Recipe(model="unet", classes_file=tmp_path / "mine.txt"))
    assert dataset.class_names == ("ground", "digit")
    assert {name: len(dataset.split(name)) for name in ("train", "val", "test")} == {
        "train": 18,
        "val": 2,
        "test": 4,
    }


def test_values_that_the_classes_file_does_not_name(label_maps: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("ground,0\nsky,2\n")
    recipe = {"model": "unet", "classes_file": tmp_path / "mine.txt"}
    with pytest.raises(LabelError, match="--on-unknown-colors skip"):
        TASK.read(label_maps, Recipe(**recipe))  # type: ignore[arg-type]
    dataset = TASK.read(label_maps, Recipe(**recipe, on_unknown_colors="skip"))  # type: ignore[arg-type]
    assert dataset.class_names == ("ground", "sky")
    assert (dataset.target(0).labels == IGNORED).any()


def test_a_split_file_is_used(demo: Path, labeled: SegmentationDataset, tmp_path: Path) -> None:
    files = labeled.files.tolist()
    file = tmp_path / "split.json"
    file.write_text(json.dumps({"train": files[4:], "val": files[:1], "test": files[1:4]}))
    dataset = TASK.read(demo, Recipe(model="unet", split_file=file, on_unseen_classes="skip"))
    assert dataset.split("test").files.tolist() == files[1:4]


def test_a_class_without_training_photos(demo: Path, labeled: SegmentationDataset, tmp_path: Path) -> None:
    nines = labeled.pixel_counts[:, labeled.class_names.index("nine")] > 0
    files = labeled.files
    file = tmp_path / "split.json"
    file.write_text(json.dumps({"train": files[~nines].tolist(), "val": files[nines].tolist(), "test": []}))
    with pytest.raises(LabelError, match=r'"nine": [\d,]+ pixels in images'):
        TASK.read(demo, Recipe(model="unet", split_file=file))
    dataset = TASK.read(demo, Recipe(model="unet", split_file=file, on_unseen_classes="skip"))
    assert any("nine" in note for note in dataset.notes)
