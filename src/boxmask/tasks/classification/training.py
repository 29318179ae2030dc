"""Photos, or objects cut out of them, with one class each: what classifiers learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from boxmask.classifiers.contract import Classifier
from boxmask.data.augmentation.classification import ClassificationAugmentation, resize_classification_photo
from boxmask.data.class_checks import check_training_classes
from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.data.classification.read import read_classification
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.classification.evaluate import evaluate_classifier
from boxmask.pipeline.images import Size
from boxmask.pipeline.model import Model
from boxmask.runs.recipe import Recipe
from boxmask.tasks.contract import Augment, Progress
from boxmask.types import ClassificationTarget


@dataclass(frozen=True)
class ClassificationTask:
    """See `Task`."""

    figures: tuple[str, ...] = ("accuracy", "mean_accuracy")

    def read(self, data: Path, recipe: Recipe) -> ClassificationDataset:
        """Folders of photos, one a class, or the objects of a detection set."""
        how = {"split_seed": recipe.split_seed, "split_file": recipe.split_file}
        items = read_classification(data, **how, on_bad_boxes=recipe.on_bad_boxes)  # type: ignore[arg-type]
        notes = check_training_classes(items.photos, on_unseen_classes=recipe.on_unseen_classes)
        return replace(items, photos=replace(items.photos, notes=items.photos.notes + notes))

    def photos(self, labeled: ClassificationDataset) -> DetectionDataset:
        """The photos that the items are parts of."""
        return labeled.photos

    def config_options(self, labeled: ClassificationDataset, recipe: Recipe) -> dict[str, Any]:
        """The names of the classes."""
        return {"class_names": labeled.class_names}

    def input_size(self, size: Size, config: Any) -> Size:
        """The square that every photo is fitted into."""
        return config.longer_side, config.longer_side

    def sample(
        self, labeled: ClassificationDataset, item: int, config: Any
    ) -> tuple[Tensor, ClassificationTarget]:
        """The photo, or the part of it, fitted into the square."""
        image, target = labeled.photo(item), labeled.target(item)
        return resize_classification_photo(image, target, config.shorter_side, config.longer_side)

    def augmentation(self, recipe: Recipe, config: Any) -> Augment:
        """Scale jitter, flips and colors."""
        return ClassificationAugmentation(
            recipe.flip, recipe.vertical_flip, recipe.scale, recipe.color_jitter
        )

    def evaluate(
        self, model: Model, labeled: ClassificationDataset, recipe: Recipe, progress: Progress
    ) -> dict[str, Any]:
        """Accuracy, without intervals."""
        how = {"interval": False, "on_unseen_classes": recipe.on_unseen_classes, "progress": progress}
        return evaluate_classifier(cast(Classifier, model), labeled, **how).to_dict()  # type: ignore[arg-type]
