"""The classification task: one class per photo, or per object cut out of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from torch import Tensor

from boxmask.classifiers.contract import Classifier
from boxmask.data.augmentation.classification import ClassificationAugmentation, resize_classification_photo
from boxmask.data.augmentation.combination import Combination
from boxmask.data.class_checks import OnUnseenClasses, check_training_classes
from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.groups.growth import EarlierSplit
from boxmask.errors import UsageError
from boxmask.evaluation.classification.evaluate import evaluate_classifier
from boxmask.evaluation.classification.failures import (
    ClassificationFailures,
    analyze_classifications,
)
from boxmask.evaluation.classification.table import classification_table
from boxmask.options import option
from boxmask.pipeline.images import Size
from boxmask.prediction.fusion.classifier import FusedClassifier
from boxmask.prediction.fusion.views import views_of
from boxmask.prediction.view_options import ViewOptions
from boxmask.progress import Progress
from boxmask.results.min_score import MinScore, check_min_scores
from boxmask.results.picture_folder import PictureFolder
from boxmask.runs.recipe import Recipe
from boxmask.runs.splits import Split, select_split
from boxmask.tasks.classes import evaluation_classes, training_classes
from boxmask.tasks.classification.evaluation import MISTAKES_FILE, evaluate_and_draw
from boxmask.tasks.classification.writer import ClassificationWriter
from boxmask.tasks.contract import Augment, EvaluationReport, LabelOptions
from boxmask.tasks.label_maps import check_no_label_map_options
from boxmask.types import Classification, ClassificationTarget
from boxmask.visualization.contact_sheet import contact_sheet
from boxmask.visualization.style import RGBImage, image_pixels


@dataclass(frozen=True)
class ClassificationTask:
    """See `Task`."""

    metrics: tuple[str, ...] = ("accuracy", "mean_accuracy")

    # ---------------------------------------------------------------- training

    def read(
        self,
        data: Path,
        recipe: Recipe,
        progress: Progress | None = None,
        earlier: Sequence[EarlierSplit] = (),
    ) -> ClassificationDataset:
        """Read one folder of photos per class, or the objects of a detection data set."""
        from boxmask.data.classification.read import read_classification

        dataset = read_classification(
            data,
            split_seed=recipe.split_seed,
            split_file=recipe.split_file,
            group_by=recipe.group_by,
            on_bad_boxes=recipe.on_bad_boxes,
            on_bad_photos=recipe.on_bad_photos,
            selection=training_classes(recipe),
            earlier=earlier,
            progress=progress,
        )
        notes = check_training_classes(dataset.photos, on_unseen_classes=recipe.on_unseen_classes)
        return replace(dataset, photos=replace(dataset.photos, notes=dataset.photos.notes + notes))

    def photos(self, dataset: ClassificationDataset) -> DetectionDataset:
        """The photos that the items are cut from."""
        return dataset.photos

    def config_options(self, dataset: ClassificationDataset, recipe: Recipe) -> dict[str, Any]:
        """The class names."""
        return {"class_names": dataset.class_names}

    def input_size(self, size: Size, config: Any) -> Size:
        """The square that every photo is fitted into."""
        return config.longer_side, config.longer_side

    def sample(
        self, dataset: ClassificationDataset, item: int, config: Any
    ) -> tuple[Tensor, ClassificationTarget]:
        """The photo, or the part of it, fitted into the square."""
        image, target = dataset.photo(item), dataset.target(item)
        return resize_classification_photo(image, target, config.shorter_side, config.longer_side)

    def augmentation(self, recipe: Recipe, config: Any) -> Augment:
        """Scale jitter, flips and color jitter."""
        return ClassificationAugmentation(
            recipe.flip, recipe.vertical_flip, recipe.scale, recipe.color_jitter
        )

    def combination(self, recipe: Recipe, config: Any, counts: Int[np.ndarray, "P K"]) -> Combination:
        """None: a photo has one class, and so would a part of it."""
        return Combination(self.augmentation(recipe, config))

    def draw_samples(
        self, samples: list[tuple[Tensor, ClassificationTarget]], class_names: Sequence[str]
    ) -> RGBImage:
        """Photos below the names of their classes."""
        pictures = [image_pixels(image) for image, _ in samples]
        return contact_sheet(pictures, captions=[class_names[target.label] for _, target in samples])

    def draw_results(self, images: Sequence[Tensor], results: Sequence[Classification]) -> RGBImage:
        """Photos below the class with the highest score."""
        best = [result.top(1)[0] for result in results]
        pictures = [image_pixels(image) for image in images]
        return contact_sheet(pictures, captions=[f"{name} {score:.2f}" for name, score in best])

    def validate(
        self, model: Classifier, dataset: ClassificationDataset, recipe: Recipe, progress: Progress
    ) -> dict[str, Any]:
        """Accuracy, without intervals."""
        return evaluate_classifier(
            model,
            dataset,
            interval=False,
            on_unseen_classes=recipe.on_unseen_classes,
            progress=progress,
        ).to_dict()

    # ---------------------------------------------------------------- evaluation

    def read_split(self, run: Path, data: Path, split: Split, options: LabelOptions) -> ClassificationDataset:
        """The items of one split with their classes."""
        from boxmask.data.classification.read import read_unsplit_classification

        check_no_label_map_options(run, options)
        select = partial(
            select_split, run=run, data=data, split=split, unseen=options.unseen, others=options.others
        )
        selection = evaluation_classes(run, options)
        return read_unsplit_classification(
            data, options.on_bad_boxes, options.on_bad_photos, select=select, selection=selection
        )

    def evaluate(
        self,
        model: Classifier,
        dataset: ClassificationDataset,
        on_unseen_classes: OnUnseenClasses = "error",
        progress: Progress | None = None,
        pictures: Path | None = None,
        *,
        keep_results: bool = False,
    ) -> EvaluationReport:
        """Accuracy, precision and recall. One picture shows the mistakes with the highest scores."""
        folder = PictureFolder(pictures, [pictures / MISTAKES_FILE]) if pictures is not None else None
        evaluation, items, results = evaluate_and_draw(model, dataset, on_unseen_classes, progress, folder)
        report = EvaluationReport(evaluation, classification_table(evaluation))
        if keep_results:
            failures = self.analyze_failures(items, results)
            report = replace(report, dataset=items, results=results, failures=failures)
        names = (*model.config.class_names, *dataset.class_names)
        return report.with_pictures(folder, names) if folder is not None else report

    def analyze_failures(
        self, dataset: ClassificationDataset, results: Sequence[Classification]
    ) -> ClassificationFailures:
        """Confused classes, calibration, and the items that labels and classifier disagree about."""
        return analyze_classifications(dataset, results)

    # ---------------------------------------------------------------- prediction

    def with_views(self, models: Sequence[Classifier], views: ViewOptions, tile: int | None) -> Any:
        """Scores of several views are averaged."""
        if tile is not None:
            raise UsageError(f"{option('tiles')} is for detectors and segmenters, not for classifiers")
        if len(models) == 1 and views.scales is None:
            return models[0]
        return FusedClassifier(views_of(models, views.scales))

    def writer(
        self, model: Classifier, out: Path, formats: tuple[str, ...] | None, min_score: MinScore
    ) -> ClassificationWriter:
        """A table of classes."""
        check_min_scores(min_score, option("min_score"))
        return ClassificationWriter(out, formats, model.config.class_names)
