"""Which task each model of the table is for."""

from __future__ import annotations

from boxmask.classifiers.table import CLASSIFIERS
from boxmask.detectors.table import DETECTORS
from boxmask.errors import UsageError
from boxmask.models.table import entry
from boxmask.runs.recipe import Recipe
from boxmask.segmenters.table import SEGMENTERS
from boxmask.tasks.classification.training import ClassificationTask
from boxmask.tasks.contract import Task
from boxmask.tasks.detection.training import DetectionTask
from boxmask.tasks.segmentation.training import SegmentationTask

TASKS: dict[str, Task] = {
    **{name: DetectionTask() for name in DETECTORS},
    "mask-rcnn": DetectionTask(("mask_AP", "mask_AP50", "AP", "AP50"), outlines=True),
    **{name: SegmentationTask() for name in SEGMENTERS},
    **{name: ClassificationTask() for name in CLASSIFIERS},
}

OF_PIXELS = {"classes_file": None, "on_unknown_colors": "error", "class_weights": "none"}
"""Choices that mean something for labeled pixels alone, and what says nothing."""


def check_recipe(recipe: Recipe) -> None:
    """Raise UsageError for a choice that the labels of this model's task do not have."""
    task = task_of(recipe.model)
    for name, unsaid in OF_PIXELS.items():
        if getattr(recipe, name) != unsaid and not isinstance(task, SegmentationTask):
            flag = name.replace("_", "-")
            raise UsageError(f"--{flag} is for {', '.join(SEGMENTERS)}, not for {recipe.model}")
    if recipe.crop_policy == "ssd" and not isinstance(task, DetectionTask):
        raise UsageError(f"--crop-policy ssd is for detectors, not for {recipe.model}")


def task_of(model: str) -> Task:
    """The task of a model's name; UsageError names those that there are."""
    entry(model)
    return TASKS[model]
