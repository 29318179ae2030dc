"""The detection task: objects in boxes, with or without masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from torch import Tensor

from boxmask.data.augmentation.combination import Combination
from boxmask.data.augmentation.copy_paste import CopyPaste
from boxmask.data.augmentation.detection import DetectionAugmentation, resize_detection_photo
from boxmask.data.augmentation.mosaic import DetectionMosaic
from boxmask.data.augmentation.repeat_factors import paste_probabilities, photo_repeat_factors
from boxmask.data.augmentation.scene import LARGE_JITTER
from boxmask.data.augmentation.ssd_crops import SSDAugmentation
from boxmask.data.class_checks import OnUnseenClasses, check_training_classes
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.groups.growth import EarlierSplit
from boxmask.detectors.contract import Detector
from boxmask.evaluation.detection.arrays import Kind
from boxmask.evaluation.detection.detect import detect_all, propose_all
from boxmask.evaluation.detection.evaluate import (
    check_known_classes,
    evaluate_detections,
    evaluate_detector,
)
from boxmask.evaluation.detection.failures.analysis import DetectionFailures
from boxmask.evaluation.detection.failures.analyze import analyze_failures
from boxmask.evaluation.detection.table import detection_table
from boxmask.photos.read import to_image
from boxmask.pipeline.images import Size, resized_size
from boxmask.prediction.fusion.detector import FusedDetector
from boxmask.prediction.fusion.views import views_of
from boxmask.prediction.tiles.detector import TiledDetector
from boxmask.prediction.view_options import ViewOptions
from boxmask.progress import Progress
from boxmask.results.min_score import MinScore
from boxmask.runs.recipe import Recipe
from boxmask.runs.splits import Split, select_split
from boxmask.tasks.classes import evaluation_classes, training_classes
from boxmask.tasks.contract import Augment, EvaluationReport, LabelOptions
from boxmask.tasks.detection.pictures import comparison_folder, draw_comparisons, draw_results, draw_samples
from boxmask.tasks.detection.training import check_objects, crowd_note, crowd_options
from boxmask.tasks.detection.writer import DetectionWriter
from boxmask.tasks.label_maps import check_no_label_map_options
from boxmask.types import Detections, Target
from boxmask.visualization.style import RGBImage


@dataclass(frozen=True)
class DetectionTask:
    """See `Task`.

    needs_masks: whether the model learns masks, so that some objects must have one
    """

    metrics: tuple[str, ...] = ("AP", "AP50", "AP75")
    needs_masks: bool = False

    # ---------------------------------------------------------------- training

    def read(
        self,
        data: Path,
        recipe: Recipe,
        progress: Progress | None = None,
        earlier: Sequence[EarlierSplit] = (),
    ) -> DetectionDataset:
        """Read a detection data set in any format."""
        from boxmask.data.detection.read import read_detection

        dataset = read_detection(
            data,
            split_seed=recipe.split_seed,
            split_file=recipe.split_file,
            group_by=recipe.group_by,
            on_bad_boxes=recipe.on_bad_boxes,
            on_bad_photos=recipe.on_bad_photos,
            needs_masks=self.needs_masks,
            selection=training_classes(recipe),
            earlier=earlier,
            progress=progress,
        )
        notes = check_training_classes(dataset, on_unseen_classes=recipe.on_unseen_classes)
        train = dataset.split("train")
        check_objects(train, data, recipe, needs_masks=self.needs_masks)
        return replace(dataset, notes=dataset.notes + notes + crowd_note(train, recipe))

    def photos(self, dataset: DetectionDataset) -> DetectionDataset:
        """The data set itself."""
        return dataset

    def config_options(self, dataset: DetectionDataset, recipe: Recipe) -> dict[str, Any]:
        """The class names, and limits that suit the most crowded photo."""
        return {"class_names": dataset.class_names, **crowd_options(dataset.split("train"), recipe)}

    def input_size(self, size: Size, config: Any) -> Size:
        """The size of the resized photo."""
        return resized_size(size, config.shorter_side, config.longer_side)

    def sample(self, dataset: DetectionDataset, item: int, config: Any) -> tuple[Tensor, Target]:
        """The resized photo with its boxes and masks."""
        image, target = to_image(dataset.path(item)), dataset.target(item)
        return resize_detection_photo(image, target, config.shorter_side, config.longer_side)

    def augmentation(self, recipe: Recipe, config: Any) -> Augment:
        """Scale jitter, or SSD's crops."""
        if recipe.method.crop_policy == "ssd":
            return SSDAugmentation(recipe.flip, recipe.color_jitter)
        scale = LARGE_JITTER if recipe.method.crop_policy == "large-jitter" else recipe.scale
        return DetectionAugmentation(recipe.flip, recipe.vertical_flip, scale, recipe.color_jitter)

    def combination(self, recipe: Recipe, config: Any, counts: Int[np.ndarray, "P K"]) -> Combination:
        """Mosaics and pasted objects, if the recipe has them."""
        is_balanced = recipe.sampling == "balanced"
        probabilities = paste_probabilities(counts) if is_balanced else np.full(counts.shape[1], 0.5)
        parts = DetectionAugmentation(recipe.flip, recipe.vertical_flip, color_jitter=recipe.color_jitter)
        return Combination(
            self.augmentation(recipe, config),
            DetectionMosaic(parts) if recipe.mosaic else None,
            CopyPaste(tuple(probabilities.tolist())) if recipe.copy_paste else None,
            recipe.mosaic,
            recipe.copy_paste,
            photo_repeat_factors(counts) if is_balanced else None,
        )

    def draw_samples(self, samples: list[tuple[Tensor, Target]], class_names: Sequence[str]) -> RGBImage:
        """Photos with their boxes and masks, and the names of the classes."""
        return draw_samples(samples, class_names)

    def draw_results(self, images: Sequence[Tensor], results: Sequence[Detections]) -> RGBImage:
        """Photos with the objects that were found."""
        return draw_results(images, results)

    def validate(
        self, model: Detector, dataset: DetectionDataset, recipe: Recipe, progress: Progress
    ) -> dict[str, Any]:
        """Average precision, without intervals."""
        return evaluate_detector(
            model,
            dataset,
            interval=False,
            on_unseen_classes=recipe.on_unseen_classes,
            progress=progress,
        ).to_dict()

    # ---------------------------------------------------------------- evaluation

    def read_split(self, run: Path, data: Path, split: Split, options: LabelOptions) -> DetectionDataset:
        """The photos of one split with their objects."""
        from boxmask.data.detection.read import read_unsplit_detection

        check_no_label_map_options(run, options)
        return read_unsplit_detection(
            data,
            options.on_bad_boxes,
            options.on_bad_photos,
            needs_masks=self.needs_masks,
            select=partial(
                select_split, run=run, data=data, split=split, unseen=options.unseen, others=options.others
            ),
            selection=evaluation_classes(run, options),
        )

    def evaluate(
        self,
        model: Detector,
        dataset: DetectionDataset,
        on_unseen_classes: OnUnseenClasses = "error",
        progress: Progress | None = None,
        pictures: Path | None = None,
        *,
        keep_results: bool = False,
    ) -> EvaluationReport:
        """Average precision by COCO's and VOC's rules. Pictures show labels beside detections."""
        folder = comparison_folder(dataset, pictures) if pictures is not None else None
        report, detections = self.evaluate_with_detections(model, dataset, on_unseen_classes, progress)
        if keep_results:
            proposals = propose_all(model, dataset, progress=progress)
            failures = self.analyze_failures(dataset, detections, proposals)
            report = replace(report, dataset=dataset, results=detections, failures=failures)
        if folder is None:
            return report
        draw_comparisons(dataset, detections, folder)
        return report.with_pictures(folder, (*model.config.class_names, *dataset.class_names))

    def evaluate_with_detections(
        self,
        model: Detector,
        dataset: DetectionDataset,
        on_unseen_classes: OnUnseenClasses = "error",
        progress: Progress | None = None,
    ) -> tuple[EvaluationReport, Sequence[Detections]]:
        """The same, with the detections of each photo."""
        check_known_classes(model, dataset, on_unseen_classes)
        detections = detect_all(model, dataset, progress=progress)
        evaluation = evaluate_detections(dataset, detections, on_unseen_classes=on_unseen_classes)
        return EvaluationReport(evaluation, detection_table(evaluation)), detections

    def analyze_failures(
        self,
        dataset: DetectionDataset,
        results: Sequence[Detections],
        proposals: Iterable[Tensor] | None = None,
    ) -> DetectionFailures:
        """Kinds of errors, confused classes, suspect labels and more; by masks if both sides have them."""
        detections = list(results)
        has_masks = dataset.has_mask.any() and all(found.masks is not None for found in detections)
        kind: Kind = "segm" if has_masks else "bbox"
        return analyze_failures(dataset, detections, kind, proposals=proposals)

    # ---------------------------------------------------------------- prediction

    def with_views(self, models: Sequence[Detector], views: ViewOptions, tile: int | None) -> Any:
        """Boxes of several views are fused, and the objects of tiles merged."""
        is_single = len(models) == 1 and views.scales is None
        model = models[0] if is_single else FusedDetector(views_of(models, views.scales))
        return model if tile is None else TiledDetector(model, tile, views.tile_overlap)

    def writer(
        self, model: Detector, out: Path, formats: tuple[str, ...] | None, min_score: MinScore
    ) -> DetectionWriter:
        """Pictures, COCO, LabelMe and, with masks, label maps."""
        class_names = model.config.class_names
        return DetectionWriter(out, formats, min_score, masks=self.needs_masks, class_names=class_names)
