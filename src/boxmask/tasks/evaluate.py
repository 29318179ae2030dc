"""The verb `evaluate` for every kind of model: its labeled photos, its figures, its pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Group

from boxmask.classifiers.contract import Classifier
from boxmask.data.class_checks import OnUnseenClasses
from boxmask.data.classification.read import read_unsplit_classification
from boxmask.data.detection.read import read_unsplit_detection
from boxmask.data.segmentation.read import read_unsplit_segmentation
from boxmask.detectors.contract import Detector
from boxmask.errors import UsageError
from boxmask.evaluation.classification.table import classification_table
from boxmask.evaluation.detection.table import detection_table
from boxmask.evaluation.segmentation.table import segmentation_table
from boxmask.pipeline.model import Model
from boxmask.runs.splits import Split, chosen_photos
from boxmask.segmenters.contract import Segmenter
from boxmask.tasks.classification.evaluation import evaluate_and_draw_classifier
from boxmask.tasks.detection.evaluation import draw_evaluation, evaluate_with_detections
from boxmask.tasks.segmentation.evaluation import evaluate_and_draw_segmenter

RECIPE = "recipe.json"  # what training writes into the folder of a run


@dataclass(frozen=True)
class LabelOptions:
    """What the user says of labels that are not plain; see `boxmask evaluate --help`.

    classes_file, on_unknown_colors: None: as in training, on the data of the training
    """

    on_bad_boxes: Literal["error", "skip"] | None = None
    classes_file: Path | None = None
    on_unknown_colors: Literal["error", "skip"] | None = None

    def of_pixels(self, run: Path, data: Path) -> dict[str, Any]:
        """How label images are to be read."""
        written = (run if run.is_dir() else run.parent) / RECIPE
        said = json.loads(written.read_text(encoding="utf-8")) if written.is_file() else {}
        before = said.get("recipe", {}) if said.get("data") == str(data.absolute()) else {}
        return {
            "classes_file": self.classes_file or before.get("classes_file"),
            "on_unknown_colors": self.on_unknown_colors or before.get("on_unknown_colors", "error"),
            "on_bad_boxes": self.on_bad_boxes,
        }


@dataclass(frozen=True)
class EvaluationReport:
    """evaluation: has `to_dict()`; table: the same for the terminal."""

    evaluation: Any
    table: Group


def read_split(model: Model, run: Path, data: Path, split: Split, reading: LabelOptions) -> Any:
    """The labeled photos of a split, in the form that this kind of model is judged by.

    Raises LabelError and PhotoError as the readers do, LabelError where the split has no photos, and
    UsageError for what is said of colors to a model that does not look at them.
    """
    if isinstance(model, Segmenter):
        pixels = read_unsplit_segmentation(data, **reading.of_pixels(run, data))
        return chosen_photos(pixels, run, data, split)
    if reading.classes_file is not None or reading.on_unknown_colors is not None:
        raise UsageError(f"--classes-file and --on-unknown-colors are for segmenters, and {run} is none")
    if isinstance(model, Classifier):
        items = read_unsplit_classification(data, reading.on_bad_boxes)
        return items.with_photos(chosen_photos(items.photos, run, data, split))
    return chosen_photos(read_unsplit_detection(data, reading.on_bad_boxes), run, data, split)


def evaluate_model(
    model: Model,
    labeled: Any,
    on_unseen_classes: OnUnseenClasses = "error",
    progress: Callable[[int, int], None] | None = None,
    pictures: Path | None = None,
) -> EvaluationReport:
    """Judge a model by what `read_split` gave.

    pictures: a folder into which photos are drawn, as labeled and as found; of a classifier, its mistakes
    """
    if isinstance(model, Segmenter):
        pixels = evaluate_and_draw_segmenter(model, labeled, on_unseen_classes, progress, pictures)
        return EvaluationReport(pixels, segmentation_table(pixels))
    if isinstance(model, Classifier):
        classes = evaluate_and_draw_classifier(model, labeled, on_unseen_classes, progress, pictures)
        return EvaluationReport(classes, classification_table(classes))
    assert isinstance(model, Detector)
    evaluation, detections = evaluate_with_detections(model, labeled, on_unseen_classes, progress)
    if pictures is not None:
        draw_evaluation(labeled, detections, pictures)
    return EvaluationReport(evaluation, detection_table(evaluation))
