"""Photos, or objects cut out of them, with one class each: what classifiers learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from boxmask.classifiers.contract import Classifier
from boxmask.data.augmentation.classification import ClassAugmentation, resize_class_photo
from boxmask.data.classification.dataset import ClassDataset
from boxmask.data.classification.read import read_classes
from boxmask.data.detection.dataset import Dataset
from boxmask.data.split import check_classes
from boxmask.evaluation.classification.evaluate import evaluate_classes
from boxmask.pipeline.images import Size
from boxmask.pipeline.model import Model
from boxmask.runs.recipe import Recipe
from boxmask.tasks.contract import Augment, Progress
from boxmask.types import ClassTarget


@dataclass(frozen=True)
class Classes:
    """See `Task`."""

    figures: tuple[str, ...] = ("accuracy", "mean_accuracy")

    def read(self, data: Path, recipe: Recipe) -> ClassDataset:
        """Folders of photos, one a class, or the objects of a detection set."""
        how = {"split_seed": recipe.split_seed, "split_file": recipe.split_file}
        items = read_classes(data, **how, bad_boxes=recipe.bad_boxes)  # type: ignore[arg-type]
        notes = check_classes(items.photos, unseen_classes=recipe.unseen_classes)
        return replace(items, photos=replace(items.photos, notes=items.photos.notes + notes))

    def photos(self, labeled: ClassDataset) -> Dataset:
        """The photos that the items are parts of."""
        return labeled.photos

    def numbers(self, labeled: ClassDataset, recipe: Recipe) -> dict[str, Any]:
        """The names of the classes."""
        return {"class_names": labeled.class_names}

    def canvas(self, size: Size, config: Any) -> Size:
        """The square that every photo is fitted into."""
        return config.longer_side, config.longer_side

    def sample(self, labeled: ClassDataset, item: int, config: Any) -> tuple[Tensor, ClassTarget]:
        """The photo, or the part of it, fitted into the square."""
        image, target = labeled.photo(item), labeled.target(item)
        return resize_class_photo(image, target, config.shorter_side, config.longer_side)

    def augmentation(self, recipe: Recipe, config: Any) -> Augment:
        """Scale jitter, flips and colors."""
        return ClassAugmentation(recipe.flip, recipe.vertical_flip, recipe.scale, recipe.photometric)

    def evaluate(
        self, model: Model, labeled: ClassDataset, recipe: Recipe, progress: Progress
    ) -> dict[str, Any]:
        """Accuracy, without intervals."""
        how = {"interval": False, "unseen_classes": recipe.unseen_classes, "progress": progress}
        return evaluate_classes(cast(Classifier, model), labeled, **how).as_json()  # type: ignore[arg-type]
