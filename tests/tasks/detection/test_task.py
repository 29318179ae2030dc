from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from boxmask.data.augmentation.detection import DetectionAugmentation
from boxmask.data.augmentation.ssd_crops import SSDAugmentation
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import LabelError
from boxmask.runs.recipe import Recipe
from boxmask.tasks.detection.task import DetectionTask
from boxmask.tasks.detection.training import crowd_note, crowd_options, max_objects
from boxmask.weights.checkpoint import load_detector

TASK = DetectionTask()
RECIPE = Recipe(model="faster-rcnn")
CONFIG = SimpleNamespace(shorter_side=64, longer_side=96)


@pytest.fixture(scope="module")
def labeled(demo: Path) -> DetectionDataset:
    return TASK.read(demo, RECIPE)


def test_the_config_takes_its_class_names_from_the_data_set(labeled: DetectionDataset) -> None:
    assert TASK.photos(labeled) is labeled
    assert TASK.config_options(labeled, RECIPE) == {"class_names": labeled.class_names}


@pytest.mark.parametrize("size", [(100, 200), (200, 100), (480, 640), (1, 1)])
def test_the_input_fits_the_shorter_and_the_longer_side(size: tuple[int, int]) -> None:
    height, width = TASK.input_size(size, CONFIG)
    assert min(height, width) <= 64
    assert max(height, width) <= 96
    assert max(height, width) == 96 or min(height, width) == 64


def test_boxes_and_masks_are_resized_with_the_photo(labeled: DetectionDataset) -> None:
    image, target = TASK.sample(labeled, 3, CONFIG)
    assert tuple(image.shape[1:]) == TASK.input_size(tuple(labeled.sizes[3].tolist()), CONFIG)
    assert target.masks is not None
    assert target.masks.size == tuple(image.shape[1:])
    scale = image.shape[1] / labeled.sizes[3, 0]
    np.testing.assert_allclose(target.boxes.numpy(), labeled.boxes[labeled.rows(3)] * scale, atol=1.5)


def test_the_crop_policy_selects_the_augmentation() -> None:
    assert isinstance(TASK.augmentation(Recipe(), CONFIG), DetectionAugmentation)
    assert isinstance(TASK.augmentation(Recipe(crop_policy="ssd"), CONFIG), SSDAugmentation)
    assert TASK.augmentation(Recipe(flip=0.1, vertical_flip=0.2), CONFIG) == DetectionAugmentation(
        0.1, 0.2, (0.75, 1.33), 0.5
    )


def test_validation_gives_metrics_without_intervals(labeled: DetectionDataset, trained: Path) -> None:
    calls: list[tuple[int, int]] = []
    metrics = TASK.validate(
        load_detector(trained),
        labeled.split("val"),
        Recipe(),
        lambda done, total: calls.append((done, total)),
    )
    assert set(TASK.metrics) <= set(metrics)
    assert metrics["images"] == 2
    assert metrics["interval_confidence"] is None
    assert calls == [(1, 2), (2, 2)]


def test_an_evaluation_can_return_its_detections(labeled: DetectionDataset, trained: Path) -> None:
    dataset = labeled.split("test")
    calls: list[tuple[int, int]] = []
    report, detections = TASK.evaluate_with_detections(
        load_detector(trained), dataset, progress=lambda done, total: calls.append((done, total))
    )
    assert report.evaluation.images == len(detections) == 4
    assert report.evaluation.objects == len(dataset.boxes)
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for photo, detected in enumerate(detections):
        assert detected.size == tuple(dataset.sizes[photo].tolist())


def test_a_split_file_must_name_every_photo(demo: Path, tmp_path: Path) -> None:
    split = tmp_path / "split.json"
    split.write_text('{"train": [], "val": [], "test": []}')
    with pytest.raises(LabelError, match="does not name"):
        TASK.read(demo, replace(RECIPE, split_file=split))


def test_a_model_of_masks_needs_training_objects_with_masks(
    demo: Path, labeled: DetectionDataset, boxes_only: Path
) -> None:
    mask_task = replace(TASK, needs_masks=True)
    assert mask_task.read(demo, Recipe(model="mask-rcnn")).fingerprint() == labeled.fingerprint()
    with pytest.raises(LabelError, match="no training object has a mask"):
        mask_task.read(boxes_only, Recipe(model="mask-rcnn"))
    assert len(TASK.read(boxes_only, RECIPE)) == len(labeled)


def test_without_objects_there_is_nothing_to_train_on(boxes_only: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(boxes_only, tmp_path / "data"))
    labels = json.loads((data / "instances_train.json").read_text())
    (data / "instances_train.json").write_text(json.dumps({**labels, "annotations": []}))
    with pytest.raises(LabelError, match="no training photo has a labeled object"):
        TASK.read(data, replace(RECIPE, on_unseen_classes="skip"))


# ---------------------------------------------------------------- crowded photos


@pytest.fixture(scope="module")
def crowded(labeled: DetectionDataset) -> DetectionDataset:
    """Two training photos with 60 times their objects."""
    first = np.flatnonzero(labeled.splits == "train")[:1]
    twice = labeled.subset(np.r_[first, first])
    return twice.with_objects(np.repeat(np.arange(len(twice.boxes)), 60), twice.offsets * 60)


def test_crowded_photos_raise_the_limits_of_detections_and_proposals(
    labeled: DetectionDataset, crowded: DetectionDataset
) -> None:
    count = int(np.diff(crowded.offsets).max())
    assert max_objects(crowded) == count
    options = TASK.config_options(crowded, Recipe(model="mask-rcnn"))
    assert options["detections_per_image"] == pytest.approx(1.5 * count, abs=1)
    assert min(options["test_proposals"]) >= 2 * options["detections_per_image"]
    assert options["test_proposals"][0] >= 4 * options["detections_per_image"]
    dense = TASK.config_options(crowded, Recipe(model="fcos"))
    assert set(dense) == {"class_names", "detections_per_image", "pre_nms_top_k"}
    assert dense["pre_nms_top_k"] >= 4 * dense["detections_per_image"]
    assert set(TASK.config_options(labeled, Recipe(model="fcos"))) == {"class_names"}


def test_a_raised_limit_is_noted(labeled: DetectionDataset, crowded: DetectionDataset) -> None:
    recipe = Recipe(model="fcos")
    limit = crowd_options(crowded, recipe)["detections_per_image"]
    (note,) = crowd_note(crowded, recipe)
    assert f"up to {max_objects(crowded)} objects, so up to {limit} are detected per photo" in note
    assert crowd_note(labeled, recipe) == ()
