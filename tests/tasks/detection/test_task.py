from __future__ import annotations

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
from boxmask.tasks.detection.training import DetectionTask
from boxmask.weights.checkpoint import load_detector

TASK = DetectionTask()
CONFIG = SimpleNamespace(shorter_side=64, longer_side=96)


@pytest.fixture(scope="module")
def labeled(demo: Path) -> DetectionDataset:
    return TASK.read(demo, Recipe())


def test_the_set_is_its_photos_and_names_the_classes(labeled: DetectionDataset) -> None:
    assert TASK.photos(labeled) is labeled
    assert TASK.config_options(labeled, Recipe()) == {"class_names": labeled.class_names}


@pytest.mark.parametrize("size", [(100, 200), (200, 100), (480, 640), (1, 1)])
def test_the_canvas_is_as_large_as_the_sample(labeled: DetectionDataset, size: tuple[int, int]) -> None:
    height, width = TASK.input_size(size, CONFIG)
    assert min(height, width) <= 64
    assert max(height, width) <= 96
    assert max(height, width) == 96 or min(height, width) == 64


def test_boxes_and_outlines_are_resized_with_the_photo(labeled: DetectionDataset) -> None:
    image, target = TASK.sample(labeled, 3, CONFIG)
    assert tuple(image.shape[1:]) == TASK.input_size(tuple(labeled.sizes[3].tolist()), CONFIG)
    assert target.masks is not None
    assert target.masks.size == tuple(image.shape[1:])
    scale = image.shape[1] / labeled.sizes[3, 0]
    np.testing.assert_allclose(target.boxes.numpy(), labeled.boxes[labeled.rows(3)] * scale, atol=1.5)


def test_crops_are_the_methods_unless_the_user_chooses() -> None:
    assert isinstance(TASK.augmentation(Recipe(), CONFIG), DetectionAugmentation)
    assert isinstance(TASK.augmentation(Recipe(crop_policy="ssd"), CONFIG), SSDAugmentation)
    assert TASK.augmentation(Recipe(flip=0.1, vertical_flip=0.2), CONFIG) == DetectionAugmentation(
        0.1, 0.2, (0.75, 1.33), 0.5
    )


def test_figures_come_without_intervals(labeled: DetectionDataset, trained: Path) -> None:
    told: list[tuple[int, int]] = []
    figures = TASK.evaluate(
        load_detector(trained), labeled.split("val"), Recipe(), lambda done, of: told.append((done, of))
    )
    assert set(TASK.figures) <= set(figures)
    assert figures["images"] == 2
    assert figures["interval_confidence"] is None
    assert told == [(1, 2), (2, 2)]


def test_objects_have_to_be_there_in_training(demo: Path, tmp_path: Path) -> None:
    split = tmp_path / "split.json"
    split.write_text('{"train": [], "val": [], "test": []}')
    with pytest.raises(LabelError, match="does not name"):
        TASK.read(demo, Recipe(split_file=split))


def test_outlines_of_validation_photos_do_not_teach(
    demo: Path, labeled: DetectionDataset, boxes_only: Path
) -> None:
    learner = replace(TASK, outlines=True)
    assert learner.read(demo, Recipe(model="mask-rcnn")).fingerprint() == labeled.fingerprint()
    with pytest.raises(LabelError, match="no training object has an outline"):
        learner.read(boxes_only, Recipe(model="mask-rcnn"))
    assert len(TASK.read(boxes_only, Recipe())) == len(labeled)


def test_crowded_photos_have_room_for_all_their_objects(labeled: DetectionDataset) -> None:
    first = np.flatnonzero(labeled.splits == "train")[:1]
    crowded = labeled.subset(np.r_[first, first])
    crowded = crowded.with_objects(np.repeat(np.arange(len(crowded.boxes)), 60), crowded.offsets * 60)
    most = int(np.diff(crowded.offsets).max())
    numbers = TASK.config_options(crowded, Recipe(model="mask-rcnn"))
    assert numbers["detections_per_image"] == pytest.approx(1.5 * most, abs=1)
    assert min(numbers["test_proposals"]) >= 2 * numbers["detections_per_image"]
    assert set(TASK.config_options(crowded, Recipe(model="fcos"))) == {"class_names", "detections_per_image"}
    assert set(TASK.config_options(labeled, Recipe(model="fcos"))) == {"class_names"}
