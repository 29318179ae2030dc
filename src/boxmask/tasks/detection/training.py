"""Objects in boxes, with or without outlines: what detectors learn from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import Tensor

from boxmask.data.augmentation.detection import DetectionAugmentation, resize_detection_photo
from boxmask.data.augmentation.ssd_crops import SSDAugmentation
from boxmask.data.class_checks import check_training_classes
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.detectors.contract import Detector
from boxmask.errors import LabelError
from boxmask.evaluation.detection.evaluate import evaluate_detector
from boxmask.models.table import make_config
from boxmask.photos.read import to_image
from boxmask.pipeline.images import Size, resized_size
from boxmask.pipeline.model import Model
from boxmask.runs.recipe import Recipe
from boxmask.tasks.contract import Augment, Progress
from boxmask.types import Target

SPARE = 1.5  # times the objects of the most crowded training photo: others may be more so


@dataclass(frozen=True)
class DetectionTask:
    """See `Task`.

    outlines: whether they are learned, too, so that some have to be there
    """

    figures: tuple[str, ...] = ("AP", "AP50", "AP75")
    outlines: bool = False

    def read(self, data: Path, recipe: Recipe) -> DetectionDataset:
        """A detection set in any format; its classes must be there in the training photos."""
        how = {"split_seed": recipe.split_seed, "split_file": recipe.split_file}
        dataset = read_detection(data, **how, on_bad_boxes=recipe.on_bad_boxes)  # type: ignore[arg-type]
        notes = check_training_classes(dataset, on_unseen_classes=recipe.on_unseen_classes)
        train = dataset.split("train")
        if not train.counted.any():
            raise LabelError(
                f"{data}: no training photo has a labeled object. Label some, or change the split."
            )
        if self.outlines and not (train.has_mask & train.counted).any():
            raise LabelError(
                f"{data}: no training object has an outline, and {recipe.model} learns outlines. Give a set "
                "with outlines (COCO's segmentation), or train faster-rcnn on the boxes."
            )
        return replace(dataset, notes=dataset.notes + notes + _note_on_crowded(train, recipe))

    def photos(self, labeled: DetectionDataset) -> DetectionDataset:
        """The set itself."""
        return labeled

    def config_options(self, labeled: DetectionDataset, recipe: Recipe) -> dict[str, Any]:
        """The names of the classes, and room for all objects of the most crowded photo."""
        return {"class_names": labeled.class_names, **_room(labeled.split("train"), recipe)}

    def input_size(self, size: Size, config: Any) -> Size:
        """The photo's, resized."""
        return resized_size(size, config.shorter_side, config.longer_side)

    def sample(self, labeled: DetectionDataset, item: int, config: Any) -> tuple[Tensor, Target]:
        """The photo resized, with its boxes and outlines."""
        image, target = to_image(labeled.path(item)), labeled.target(item)
        return resize_detection_photo(image, target, config.shorter_side, config.longer_side)

    def augmentation(self, recipe: Recipe, config: Any) -> Augment:
        """Scale jitter, or SSD's crops."""
        if recipe.method.crop_policy == "ssd":
            return SSDAugmentation(recipe.flip, recipe.color_jitter)
        return DetectionAugmentation(recipe.flip, recipe.vertical_flip, recipe.scale, recipe.color_jitter)

    def evaluate(
        self, model: Model, labeled: DetectionDataset, recipe: Recipe, progress: Progress
    ) -> dict[str, Any]:
        """Average precision, without intervals."""
        how = {"interval": False, "on_unseen_classes": recipe.on_unseen_classes, "progress": progress}
        return evaluate_detector(cast(Detector, model), labeled, **how).to_dict()  # type: ignore[arg-type]


def _most(train: DetectionDataset) -> int:
    """How many objects the most crowded photo has."""
    return int(np.diff(train.offsets).max(initial=0))


def _room(train: DetectionDataset, recipe: Recipe) -> dict[str, Any]:
    """What a config must say for as many detections as photos have objects; nothing where it does.

    COCO judges a hundred detections a photo, so methods stop there; whoever counts cells wants all of them.
    """
    config = make_config(recipe.model, recipe.preset, class_names=train.class_names)
    wanted = math.ceil(SPARE * _most(train))
    if wanted <= config.detections_per_image:
        return {}
    room: dict[str, Any] = {"detections_per_image": wanted}
    if hasattr(config, "test_proposals"):  # several of them end as one detection
        room["test_proposals"] = tuple(max(2 * wanted, number) for number in config.test_proposals)
    return room


def _note_on_crowded(train: DetectionDataset, recipe: Recipe) -> tuple[str, ...]:
    room = _room(train, recipe)
    if not room:
        return ()
    most, limit = _most(train), room["detections_per_image"]
    return (f"photos have up to {most} objects: up to {limit} are found in one (detections_per_image)",)
