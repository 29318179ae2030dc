from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.errors import LabelError
from boxmask.runs.recipe import Recipe
from boxmask.tasks.classification.task import ClassificationTask
from boxmask.training.sampler import padded_sizes
from boxmask.weights.checkpoint import load_model

TASK = ClassificationTask()
CONFIG = SimpleNamespace(shorter_side=32, longer_side=32, multiple_of=32)
RECIPE = Recipe(model="classifier")


@pytest.fixture(scope="module")
def labeled(demo: Path) -> ClassificationDataset:
    return TASK.read(demo, RECIPE)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Ten photos of each of two classes, some of them grayscale or of a single pixel."""
    root = tmp_path / "things"
    for number in range(20):
        file = root / ("dark" if number % 2 else "bright") / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        mode, size = ("L", (9, 30)) if number < 4 else ("RGB", (1, 1) if number < 8 else (40, 20))
        Image.new(mode, size, 10 * number).save(file)
    return root


def test_the_objects_of_a_detection_data_set_are_the_items(
    labeled: ClassificationDataset, demo: Path
) -> None:
    photos = TASK.photos(labeled)
    assert len(photos) == 24
    assert len(labeled) == photos.counted.sum() > 24
    assert TASK.config_options(labeled, RECIPE) == {"class_names": photos.class_names}


def test_every_item_is_fitted_into_the_same_square(labeled: ClassificationDataset) -> None:
    assert set(padded_sizes(labeled, TASK, CONFIG)) == {(32, 32)}
    for item in (0, 5, 17):
        image, target = TASK.sample(labeled, item, CONFIG)
        assert max(image.shape[1:]) == 32
        assert target.label == labeled.labels[item]
        out, same = TASK.augmentation(RECIPE, CONFIG)(image, target, np.random.default_rng(item))
        assert max(out.shape[1:]) <= 32
        assert same == target


def test_grayscale_and_tiny_photos_are_samples_too(folders: Path) -> None:
    items = TASK.read(folders, RECIPE)
    assert items.class_names == ("bright", "dark")
    assert len(items) == len(TASK.photos(items)) == 20
    for item in range(20):
        image, target = TASK.sample(items, item, CONFIG)
        out, _ = TASK.augmentation(RECIPE, CONFIG)(image, target, np.random.default_rng(0))
        assert image.shape[0] == out.shape[0] == 3


def test_validation_gives_metrics_without_intervals(
    labeled: ClassificationDataset, runs: Callable[[str], Path]
) -> None:
    calls: list[tuple[int, int]] = []
    val = labeled.split("val")
    metrics = TASK.validate(
        load_model(runs("classifier")), val, RECIPE, lambda done, total: calls.append((done, total))
    )
    assert set(TASK.metrics) <= set(metrics)
    assert metrics["images"] == len(val)
    assert metrics["accuracy_interval"] is None
    assert calls == [(done, len(val)) for done in range(1, len(val) + 1)]


def test_a_single_class_is_an_error(folders: Path) -> None:
    for photo in (folders / "dark").iterdir():
        photo.unlink()
    with pytest.raises(LabelError, match="a classifier needs at least two classes, found one class, bright"):
        TASK.read(folders, RECIPE)
