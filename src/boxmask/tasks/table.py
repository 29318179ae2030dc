"""The task of each model."""

from __future__ import annotations

from typing import Any

from boxmask.classifiers.table import CLASSIFIERS
from boxmask.detectors.table import DETECTORS
from boxmask.errors import UsageError
from boxmask.models.table import HasConfig, model_entry, name_of
from boxmask.options import option
from boxmask.runs.recipe import Recipe
from boxmask.runtime.models import ExportedModel
from boxmask.segmenters.table import SEGMENTERS
from boxmask.tasks.classification.task import ClassificationTask
from boxmask.tasks.contract import Task
from boxmask.tasks.detection.task import DetectionTask
from boxmask.tasks.segmentation.task import SegmentationTask

TASKS: dict[str, Task[Any, Any]] = {
    **{name: DetectionTask() for name in DETECTORS},
    "mask-rcnn": DetectionTask(("mask_AP", "mask_AP50", "AP", "AP50"), needs_masks=True),
    **{name: SegmentationTask() for name in SEGMENTERS},
    **{name: ClassificationTask() for name in CLASSIFIERS},
}

SEGMENTATION_ONLY = {"classes_file": None, "on_unknown_colors": "error", "class_weights": "none"}
"""Options of the recipe for segmenters alone, and their defaults."""

BOTH = "detectors and segmenters"

PROPOSALS_FIRST = ("rcnn", "fast-rcnn")
"""Models whose proposals are found before the training begins."""


def task_of(model: str | HasConfig) -> Task[Any, Any]:
    """The task of a model or of its name. Raises UsageError for a name that is not known."""
    if isinstance(model, ExportedModel):
        name = model.name
    else:
        name = model if isinstance(model, str) else name_of(model)
    model_entry(name)
    return TASKS[name]


def check_recipe(recipe: Recipe) -> None:
    """Raise UsageError for an option that the task of this model does not have."""
    for name, default in SEGMENTATION_ONLY.items():
        if getattr(recipe, name) != default and recipe.model not in SEGMENTERS:
            raise UsageError(f"{option(name)} is for {', '.join(SEGMENTERS)}, not for {recipe.model}")
    _check_augmentation(recipe)


def _check_augmentation(recipe: Recipe) -> None:
    """Raise UsageError for an augmentation that does not fit the model."""
    rules = (
        (option("crop_policy", "ssd"), recipe.crop_policy == "ssd", "detectors"),
        (option("copy_paste"), recipe.copy_paste > 0, "detectors"),
        (option("crop_policy", "large-jitter"), recipe.crop_policy == "large-jitter", BOTH),
        (option("mosaic"), recipe.mosaic > 0, BOTH),
    )
    for name, is_chosen, models in rules:
        fits = recipe.model in DETECTORS or (recipe.model in SEGMENTERS and models == BOTH)
        if is_chosen and not fits:
            raise UsageError(f"{name} is for {models}, not for {recipe.model}")
    if recipe.training == "alternating" or recipe.model in PROPOSALS_FIRST:
        for field in ("copy_paste", "mosaic"):
            if getattr(recipe, field):
                raise UsageError(
                    f"{option(field)} changes photos, but this training finds its proposals in the photos as "
                    "they are. Leave it out, or use --model faster-rcnn with --training joint."
                )
