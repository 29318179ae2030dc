"""Photos of which every pixel has a class: what segmenters learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from boxmask.data.augmentation.segmentation import SegmentationAugmentation, resize_segmentation_photo
from boxmask.data.class_checks import check_training_classes
from boxmask.data.segmentation.dataset import SegmentationDataset, with_drawn_splits
from boxmask.data.segmentation.read import read_unsplit_segmentation
from boxmask.data.split import apply_split_file
from boxmask.evaluation.segmentation.evaluate import evaluate_segmenter
from boxmask.photos.read import to_image
from boxmask.pipeline.images import Size, resized_size
from boxmask.pipeline.model import Model
from boxmask.runs.recipe import Recipe
from boxmask.segmenters.contract import Segmenter
from boxmask.tasks.contract import Augment, Progress
from boxmask.types import SegmentationTarget


def balanced(pixels: NDArray[np.int64]) -> tuple[float, ...]:
    """A weight for each class of so many pixels, (K,): the median frequency over its own; 1 for one without.

    Eigen and Fergus 2015 (arXiv:1411.4734), section 6.3.
    """
    shown = pixels > 0
    weights = np.ones(len(pixels))
    if shown.any():
        weights[shown] = np.median(pixels[shown]) / pixels[shown]
    return tuple(weights.round(4).tolist())


@dataclass(frozen=True)
class SegmentationTask:
    """See `Task`."""

    figures: tuple[str, ...] = ("mIoU", "pixel_accuracy")

    def read(self, data: Path, recipe: Recipe) -> SegmentationDataset:
        """Label images, or the outlines of a detection set."""
        unsplit = read_unsplit_segmentation(
            data,
            classes_file=recipe.classes_file,
            on_unknown_colors=recipe.on_unknown_colors,
            on_bad_boxes=recipe.on_bad_boxes,
        )
        file, seed = recipe.split_file, recipe.split_seed
        dataset = apply_split_file(unsplit, file) if file else with_drawn_splits(unsplit, seed)
        notes = check_training_classes(dataset, on_unseen_classes=recipe.on_unseen_classes)
        return replace(dataset, notes=dataset.notes + notes)

    def photos(self, labeled: SegmentationDataset) -> SegmentationDataset:
        """The set itself."""
        return labeled

    def config_options(self, labeled: SegmentationDataset, recipe: Recipe) -> dict[str, Any]:
        """The names of the classes, and how much each weighs."""
        names = {"class_names": labeled.class_names}
        if recipe.class_weights == "none":
            return names
        return {**names, "class_weights": balanced(labeled.split("train").counts().sum(axis=0))}

    def input_size(self, size: Size, config: Any) -> Size:
        """A tile, or the photo, resized."""
        if config.tile:
            return config.tile, config.tile
        return resized_size(size, config.shorter_side, config.longer_side)

    def sample(
        self, labeled: SegmentationDataset, item: int, config: Any
    ) -> tuple[Tensor, SegmentationTarget]:
        """The photo and its labels; resized, or for tiles as they are."""
        image, target = to_image(labeled.path(item)), labeled.target(item)
        if config.tile:
            return image, target
        return resize_segmentation_photo(image, target, config.shorter_side, config.longer_side)

    def augmentation(self, recipe: Recipe, config: Any) -> Augment:
        """Scale jitter, flips and colors; cut to a tile, if the network looks at tiles."""
        how = (recipe.flip, recipe.vertical_flip, recipe.scale, recipe.color_jitter)
        return SegmentationAugmentation(*how, config.tile)

    def evaluate(
        self, model: Model, labeled: SegmentationDataset, recipe: Recipe, progress: Progress
    ) -> dict[str, Any]:
        """Mean intersection over union, without intervals."""
        how = {"interval": False, "on_unseen_classes": recipe.on_unseen_classes, "progress": progress}
        return evaluate_segmenter(cast(Segmenter, model), labeled, **how).to_dict()  # type: ignore[arg-type]
