"""Detection settings that follow from the training photos."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import LabelError
from boxmask.models.table import make_config
from boxmask.runs.recipe import Recipe

CROWD_MARGIN = 1.5  # times the objects of the most crowded training photo: other photos may hold more
PROPOSALS_PER_DETECTION = 2  # after NMS: several proposals end as one detection
CANDIDATES_PER_DETECTION = 4  # before NMS, which keeps one of several anchors or points at each object


def check_objects(train: DetectionDataset, data: Path, recipe: Recipe, *, needs_masks: bool) -> None:
    """Raise LabelError if no training photo has an object, or no object has the mask that the model needs."""
    if not train.counted.any():
        raise LabelError(f"{data}: no training photo has a labeled object. Label some, or change the split.")
    if needs_masks and not (train.has_mask & train.counted).any():
        raise LabelError(
            f"{data}: no training object has a mask, and {recipe.model} needs masks. Give labels "
            "with masks (COCO's segmentation), or train faster-rcnn on the boxes."
        )


def max_objects(train: DetectionDataset) -> int:
    """The number of objects in the most crowded photo."""
    return int(np.diff(train.offsets).max(initial=0))


def crowd_options(train: DetectionDataset, recipe: Recipe) -> dict[str, Any]:
    """Config options that allow as many detections as crowded photos need; none if the defaults suffice.

    COCO evaluates a hundred detections per photo, and so the methods stop there.
    """
    config = make_config(recipe.model, recipe.preset, class_names=train.class_names)
    needed = math.ceil(CROWD_MARGIN * max_objects(train))
    if needed <= config.detections_per_image:
        return {}
    options: dict[str, Any] = {"detections_per_image": needed}
    candidates = CANDIDATES_PER_DETECTION * needed
    if hasattr(config, "test_proposals"):
        before, after = config.test_proposals
        options["test_proposals"] = max(candidates, before), max(PROPOSALS_PER_DETECTION * needed, after)
    if hasattr(config, "pre_nms_top_k"):
        options["pre_nms_top_k"] = max(candidates, config.pre_nms_top_k)
    return options


def crowd_note(train: DetectionDataset, recipe: Recipe) -> tuple[str, ...]:
    """A note that the limit of detections per photo was raised; empty if it was not."""
    options = crowd_options(train, recipe)
    if not options:
        return ()
    limit = options["detections_per_image"]
    return (
        f"photos have up to {max_objects(train)} objects, so up to {limit} are detected per photo "
        "(detections_per_image)",
    )
