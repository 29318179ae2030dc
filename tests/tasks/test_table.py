"""Which labels each model learns from, and which choices mean something for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from boxmask.tasks.classification.training import ClassificationTask
from boxmask.tasks.segmentation.training import SegmentationTask

from boxmask.detectors.table import DETECTORS
from boxmask.errors import UsageError
from boxmask.models.table import MODELS
from boxmask.runs.recipe import Recipe
from boxmask.segmenters.table import SEGMENTERS
from boxmask.tasks.detection.training import DetectionTask
from boxmask.tasks.table import TASKS, check_recipe, task_of


def test_every_model_has_a_task() -> None:
    assert TASKS.keys() == MODELS.keys()
    assert all(isinstance(task_of(model), DetectionTask) for model in DETECTORS)
    assert all(isinstance(task_of(model), SegmentationTask) for model in SEGMENTERS)
    assert isinstance(task_of("classifier"), ClassificationTask)


def test_the_first_figure_decides_which_weights_are_best() -> None:
    firsts = {model: task.figures[0] for model, task in TASKS.items()}
    assert firsts.pop("mask-rcnn") == "mask_AP"
    assert firsts.pop("classifier") == "accuracy"
    assert {model: firsts.pop(model) for model in SEGMENTERS} == dict.fromkeys(SEGMENTERS, "mIoU")
    assert set(firsts.values()) == {"AP"}


def test_only_mask_rcnn_asks_for_outlines() -> None:
    assert [model for model, task in TASKS.items() if getattr(task, "outlines", False)] == ["mask-rcnn"]


def test_an_unknown_model() -> None:
    with pytest.raises(UsageError, match=r"unknown model 'segnet'; choose from: .*unet.*classifier"):
        task_of("segnet")


@pytest.mark.parametrize("model", MODELS)
def test_what_is_not_said_is_no_matter(model: str) -> None:
    check_recipe(Recipe(model=model))
    check_recipe(Recipe(model=model).with_method_defaults())


@pytest.mark.parametrize("model", SEGMENTERS)
def test_choices_for_pixels(model: str) -> None:
    choices = {"on_unknown_colors": "skip", "class_weights": "balanced"}
    check_recipe(Recipe(model=model, classes_file=Path("c.txt"), **choices))  # type: ignore[arg-type]


@pytest.mark.parametrize("model", DETECTORS)
def test_crops_of_ssd_are_for_every_detector(model: str) -> None:
    check_recipe(Recipe(model=model, crop_policy="ssd"))
