"""Each model has one task, and each task refuses the options of the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from boxmask.detectors.table import DETECTORS
from boxmask.errors import UsageError
from boxmask.models.table import MODELS, name_of
from boxmask.runs.recipe import Recipe
from boxmask.segmenters.table import SEGMENTERS
from boxmask.tasks.classification.task import ClassificationTask
from boxmask.tasks.detection.task import DetectionTask
from boxmask.tasks.segmentation.task import SegmentationTask
from boxmask.tasks.table import PROPOSALS_FIRST, TASKS, check_recipe, task_of
from boxmask.weights.checkpoint import load_model


def test_every_model_has_a_task() -> None:
    assert TASKS.keys() == MODELS.keys()
    assert all(isinstance(task_of(model), DetectionTask) for model in DETECTORS)
    assert all(isinstance(task_of(model), SegmentationTask) for model in SEGMENTERS)
    assert isinstance(task_of("classifier"), ClassificationTask)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_recognized_by_its_config(name: str) -> None:
    config = MODELS[name].config(class_names=("cat", "dog"))
    model: Any = SimpleNamespace(config=config)  # building the network would take long
    assert name_of(model) == name
    assert task_of(model) is TASKS[name]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("faster-rcnn", "faster-rcnn"),
        ("mask-rcnn", "mask-rcnn"),
        ("unet", "unet"),
        ("tiles", "fcn"),
        ("classifier", "classifier"),
    ],
)
def test_a_loaded_model_has_the_task_of_its_name(runs: Callable[[str], Path], kind: str, name: str) -> None:
    model = load_model(runs(kind))
    assert name_of(model) == name
    assert task_of(model) is task_of(name) is TASKS[name]


def test_the_first_metric_decides_which_weights_are_best() -> None:
    first = {model: task.metrics[0] for model, task in TASKS.items()}
    assert first.pop("mask-rcnn") == "mask_AP"
    assert first.pop("classifier") == "accuracy"
    assert {model: first.pop(model) for model in SEGMENTERS} == dict.fromkeys(SEGMENTERS, "mIoU")
    assert set(first.values()) == {"AP"}


def test_only_mask_rcnn_needs_masks() -> None:
    needs_masks = [
        name for name, task in TASKS.items() if isinstance(task, DetectionTask) and task.needs_masks
    ]
    assert needs_masks == ["mask-rcnn"]


def test_an_unknown_model_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"unknown model 'segnet'; choose from: .*unet.*classifier"):
        task_of("segnet")


# ---------------------------------------------------------------- options of the recipe


@pytest.mark.parametrize("model", MODELS)
def test_every_model_accepts_the_defaults(model: str) -> None:
    check_recipe(Recipe(model=model))
    check_recipe(Recipe(model=model).with_method_defaults())


OPTIONS: dict[str, Any] = {
    "classes_file": Path("c.txt"),
    "on_unknown_colors": "skip",
    "class_weights": "balanced",
}


@pytest.mark.parametrize("model", SEGMENTERS)
def test_segmenters_accept_the_options_for_label_maps(model: str) -> None:
    check_recipe(Recipe(model=model, **OPTIONS))


@pytest.mark.parametrize("model", [name for name in MODELS if name not in SEGMENTERS])
@pytest.mark.parametrize("option", OPTIONS)
def test_other_models_refuse_the_options_for_label_maps(model: str, option: str) -> None:
    flag = option.replace("_", "-")
    with pytest.raises(UsageError, match=rf"--{flag} .* is for fcn, unet, deeplab-v3, not for {model}"):
        check_recipe(Recipe(model=model, **{option: OPTIONS[option]}))


@pytest.mark.parametrize("model", DETECTORS)
def test_every_detector_accepts_the_crops_of_ssd(model: str) -> None:
    check_recipe(Recipe(model=model, crop_policy="ssd"))


@pytest.mark.parametrize("model", [name for name in MODELS if name != "classifier"])
def test_detectors_and_segmenters_accept_large_jitter(model: str) -> None:
    check_recipe(Recipe(model=model, crop_policy="large-jitter", sampling="balanced"))


COMBINED: dict[str, Any] = {"copy_paste": 0.5, "mosaic": 0.5}
WITHOUT_PROPOSALS = [name for name in DETECTORS if name not in PROPOSALS_FIRST]


@pytest.mark.parametrize("model", WITHOUT_PROPOSALS)
def test_detectors_accept_several_photos_per_sample(model: str) -> None:
    check_recipe(Recipe(model=model, **COMBINED))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (Recipe(model="unet", copy_paste=0.5), "--copy-paste .* is for detectors, not for unet"),
        (Recipe(model="classifier", copy_paste=0.5), "--copy-paste .* is for detectors, not for classifier"),
        (
            Recipe(model="classifier", mosaic=0.5),
            "--mosaic is for detectors and segmenters, not for classifier",
        ),
        (
            Recipe(model="classifier", crop_policy="large-jitter"),
            "--crop-policy large-jitter .* is for detectors and segmenters, not for classifier",
        ),
        (Recipe(model="rcnn", mosaic=0.5), "--mosaic changes photos, but this training finds its proposals"),
        (Recipe(model="fast-rcnn", copy_paste=0.5), "Leave it out, or use --model faster-rcnn"),
        (
            Recipe(model="faster-rcnn", training="alternating", mosaic=0.5),
            "or use --model faster-rcnn with --training joint",
        ),
    ],
)
def test_an_augmentation_that_does_not_fit_the_model_is_an_error(recipe: Recipe, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_recipe(recipe)


def test_segmenters_accept_mosaics_and_classifiers_balanced_sampling() -> None:
    check_recipe(Recipe(model="fcn", mosaic=0.5))
    check_recipe(Recipe(model="classifier", sampling="balanced"))


@pytest.mark.parametrize("model", [name for name in MODELS if name not in DETECTORS])
def test_other_models_refuse_the_crops_of_ssd(model: str) -> None:
    with pytest.raises(UsageError, match=f"--crop-policy ssd .* is for detectors, not for {model}"):
        check_recipe(Recipe(model=model, crop_policy="ssd"))
