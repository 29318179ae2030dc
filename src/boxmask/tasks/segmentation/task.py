"""The segmentation task: the class of every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from torch import Tensor

from boxmask.data.augmentation.combination import Combination
from boxmask.data.augmentation.mosaic import SegmentationMosaic
from boxmask.data.augmentation.repeat_factors import photo_repeat_factors
from boxmask.data.augmentation.scene import LARGE_JITTER
from boxmask.data.augmentation.segmentation import SegmentationAugmentation, resize_segmentation_photo
from boxmask.data.class_checks import OnUnseenClasses, check_training_classes
from boxmask.data.groups.growth import EarlierSplit
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.errors import LabelError
from boxmask.evaluation.checks import check_has_photos
from boxmask.evaluation.segmentation.evaluate import evaluate_segmenter
from boxmask.evaluation.segmentation.failures import SegmentationFailures, analyze_label_maps
from boxmask.evaluation.segmentation.table import segmentation_table
from boxmask.options import option
from boxmask.photos.read import to_image
from boxmask.pipeline.images import Size, resized_size
from boxmask.prediction.fusion.segmenter import FusedSegmenter
from boxmask.prediction.fusion.views import views_of
from boxmask.prediction.view_options import ViewOptions
from boxmask.progress import Progress
from boxmask.results.min_score import MinScore, check_min_scores
from boxmask.results.picture_folder import PictureFolder
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, read_recipe
from boxmask.runs.splits import Split, select_split
from boxmask.segmenters.contract import Segmenter
from boxmask.tasks.classes import evaluation_classes, training_classes
from boxmask.tasks.contract import EvaluationReport, LabelOptions
from boxmask.tasks.segmentation.class_weights import balanced_weights
from boxmask.tasks.segmentation.evaluation import evaluate_and_draw
from boxmask.tasks.segmentation.kept_label_maps import KeptLabelMaps
from boxmask.tasks.segmentation.pictures import draw_tinted
from boxmask.tasks.segmentation.tiles import with_tiles
from boxmask.tasks.segmentation.writer import SegmentationWriter
from boxmask.types import SegmentationMap, SegmentationTarget
from boxmask.visualization.style import RGBImage


@dataclass(frozen=True)
class SegmentationTask:
    """See `Task`."""

    metrics: tuple[str, ...] = ("mIoU", "pixel_accuracy")

    # ---------------------------------------------------------------- training

    def read(
        self,
        data: Path,
        recipe: Recipe,
        progress: Progress | None = None,
        earlier: Sequence[EarlierSplit] = (),
    ) -> SegmentationDataset:
        """Read label maps, or the masks of a detection data set."""
        from boxmask.data.segmentation.read import read_segmentation

        dataset = read_segmentation(
            data,
            split_seed=recipe.split_seed,
            split_file=recipe.split_file,
            group_by=recipe.group_by,
            classes_file=recipe.classes_file,
            on_unknown_colors=recipe.on_unknown_colors,
            on_bad_boxes=recipe.on_bad_boxes,
            on_bad_photos=recipe.on_bad_photos,
            selection=training_classes(recipe),
            earlier=earlier,
            progress=progress,
        )
        notes = check_training_classes(dataset, on_unseen_classes=recipe.on_unseen_classes)
        notes += _check_two_classes(dataset.split("train"), recipe)
        return replace(dataset, notes=dataset.notes + notes)

    def photos(self, dataset: SegmentationDataset) -> SegmentationDataset:
        """The data set itself."""
        return dataset

    def config_options(self, dataset: SegmentationDataset, recipe: Recipe) -> dict[str, Any]:
        """The class names, and the class weights if they are balanced."""
        options: dict[str, Any] = {"class_names": dataset.class_names}
        if recipe.class_weights == "balanced":
            options["class_weights"] = balanced_weights(dataset.split("train").counts())
        return options

    def input_size(self, size: Size, config: Any) -> Size:
        """The size of a tile, or of the resized photo."""
        if config.tile:
            return config.tile, config.tile
        return resized_size(size, config.shorter_side, config.longer_side)

    def sample(
        self, dataset: SegmentationDataset, item: int, config: Any
    ) -> tuple[Tensor, SegmentationTarget]:
        """The photo and its label map: resized, or in full resolution for tiles."""
        image, target = to_image(dataset.path(item)), dataset.target(item)
        if config.tile:
            return image, target
        return resize_segmentation_photo(image, target, config.shorter_side, config.longer_side)

    def augmentation(self, recipe: Recipe, config: Any) -> SegmentationAugmentation:
        """Scale jitter, flips and color jitter; cropped to a tile if the network sees tiles."""
        scale = LARGE_JITTER if recipe.method.crop_policy == "large-jitter" else recipe.scale
        return SegmentationAugmentation(
            recipe.flip, recipe.vertical_flip, scale, recipe.color_jitter, config.tile
        )

    def combination(self, recipe: Recipe, config: Any, counts: Int[np.ndarray, "P K"]) -> Combination:
        """Mosaics, if the recipe has them."""
        single = self.augmentation(recipe, config)
        factors = photo_repeat_factors(counts) if recipe.sampling == "balanced" else None
        return Combination(
            single,
            SegmentationMosaic(single) if recipe.mosaic else None,
            mosaic_probability=recipe.mosaic,
            repeat_factors=factors,
        )

    def draw_samples(
        self, samples: list[tuple[Tensor, SegmentationTarget]], class_names: Sequence[str]
    ) -> RGBImage:
        """Photos that are tinted by class, above a legend."""
        images = [image for image, _ in samples]
        return draw_tinted(images, (target.labels.numpy() for _, target in samples), class_names)

    def draw_results(self, images: Sequence[Tensor], results: Sequence[SegmentationMap]) -> RGBImage:
        """Photos that are tinted by class, above a legend."""
        return draw_tinted(images, (result.labels for result in results), results[0].class_names)

    def validate(
        self, model: Segmenter, dataset: SegmentationDataset, recipe: Recipe, progress: Progress
    ) -> dict[str, Any]:
        """Mean intersection over union, without intervals."""
        return evaluate_segmenter(
            model,
            dataset,
            interval=False,
            on_unseen_classes=recipe.on_unseen_classes,
            progress=progress,
        ).to_dict()

    # ---------------------------------------------------------------- evaluation

    def read_split(self, run: Path, data: Path, split: Split, options: LabelOptions) -> SegmentationDataset:
        """The photos of one split with their label maps."""
        from boxmask.data.segmentation.read import read_unsplit_segmentation

        trained = _recipe_for_same_data(run, data)
        return read_unsplit_segmentation(
            data,
            classes_file=options.classes_file or trained.classes_file,
            on_unknown_colors=options.on_unknown_colors or trained.on_unknown_colors,
            on_bad_boxes=options.on_bad_boxes,
            on_bad_photos=options.on_bad_photos,
            select=partial(
                select_split, run=run, data=data, split=split, unseen=options.unseen, others=options.others
            ),
            selection=evaluation_classes(run, options),
        )

    def evaluate(
        self,
        model: Segmenter,
        dataset: SegmentationDataset,
        on_unseen_classes: OnUnseenClasses = "error",
        progress: Progress | None = None,
        pictures: Path | None = None,
        *,
        keep_results: bool = False,
    ) -> EvaluationReport:
        """mIoU, Dice and boundary IoU. Pictures show each photo as labeled and as segmented."""
        photos = [dataset.path(photo) for photo in range(len(dataset))]
        folder = PictureFolder.for_photos(pictures, photos) if pictures is not None else None
        kept = KeptLabelMaps() if keep_results else None
        evaluation = evaluate_and_draw(model, dataset, on_unseen_classes, progress, folder, kept)
        report = EvaluationReport(evaluation, segmentation_table(evaluation))
        if kept is not None:
            failures = self.analyze_failures(dataset, kept)
            report = replace(report, dataset=dataset, results=kept, failures=failures)
        names = (*model.config.class_names, *dataset.class_names)
        return report.with_pictures(folder, names) if folder is not None else report

    def analyze_failures(
        self, dataset: SegmentationDataset, results: Sequence[SegmentationMap]
    ) -> SegmentationFailures:
        """Confused classes, the worst photos, and regions where labels and model disagree."""
        check_has_photos(dataset)
        return analyze_label_maps(dataset, results, results[0].class_names)

    # ---------------------------------------------------------------- prediction

    def with_views(self, models: Sequence[Segmenter], views: ViewOptions, tile: int | None) -> Any:
        """Probabilities of several views are averaged. Segmenters that see tiles can see other tiles."""
        if tile is not None:
            models = [with_tiles(model, views) for model in models]
        if len(models) == 1 and views.scales is None:
            return models[0]
        return FusedSegmenter(views_of(models, views.scales))

    def writer(
        self, model: Segmenter, out: Path, formats: tuple[str, ...] | None, min_score: MinScore
    ) -> SegmentationWriter:
        """Pictures and label maps."""
        check_min_scores(min_score, option("min_score"))
        return SegmentationWriter(out, formats, model.config.class_names)


def _check_two_classes(train: SegmentationDataset, recipe: Recipe) -> tuple[str, ...]:
    """Raise LabelError if the training photos show only one class: a model would predict it everywhere.

    If the recipe skips unknown colors, return a note instead.
    """
    shown = [train.class_names[label] for label in np.flatnonzero(train.pixel_counts.any(axis=0))]
    if len(shown) > 1:
        return ()
    found = f'only "{shown[0]}"' if shown else "no class"
    problem = f"the training photos show {found}, so there is nothing to learn"
    if recipe.on_unknown_colors == "skip":
        return (problem,)
    advice = "Segmentation needs two classes, of which one may be the background."
    raise LabelError(f"{train.root}: {problem}. {advice}")


def _recipe_for_same_data(run: Path, data: Path) -> Recipe:
    """The recipe of the run if it was trained on this data set, else the default recipe.

    Raises CheckpointError if the run's recipe.json is damaged.
    """
    folder = Run.from_path(run)
    if not folder.recipe_file.is_file():
        return Recipe()
    recipe, trained_on = read_recipe(folder)
    return recipe if trained_on == data.absolute() else Recipe()
