"""Which task each model of the table is for."""

from __future__ import annotations

from boxmask.classifiers.table import CLASSIFIERS
from boxmask.detectors.table import DETECTORS
from boxmask.errors import UsageError
from boxmask.models.table import entry
from boxmask.runs.recipe import Recipe
from boxmask.segmenters.table import SEGMENTERS
from boxmask.tasks.classification.training import Classes
from boxmask.tasks.contract import Task
from boxmask.tasks.detection.training import Boxes
from boxmask.tasks.segmentation.training import Pixels

TASKS: dict[str, Task] = {
    **{name: Boxes() for name in DETECTORS},
    "mask-rcnn": Boxes(("mask_AP", "mask_AP50", "AP", "AP50"), outlines=True),
    **{name: Pixels() for name in SEGMENTERS},
    **{name: Classes() for name in CLASSIFIERS},
}

OF_PIXELS = {"classes_file": None, "unknown_colors": "stop", "class_weights": "none"}
"""Choices that mean something for labeled pixels alone, and what says nothing."""


def require_meant(recipe: Recipe) -> None:
    """Raise UsageError for a choice that the labels of this model's task do not have."""
    task = task_of(recipe.model)
    for name, unsaid in OF_PIXELS.items():
        if getattr(recipe, name) != unsaid and not isinstance(task, Pixels):
            flag = name.replace("_", "-")
            raise UsageError(f"--{flag} is for {', '.join(SEGMENTERS)}, not for {recipe.model}")
    if recipe.crops == "ssd" and not isinstance(task, Boxes):
        raise UsageError(f"--crops ssd is for detectors, not for {recipe.model}")


def task_of(model: str) -> Task:
    """The task of a model's name; UsageError names those that there are."""
    entry(model)
    return TASKS[model]
