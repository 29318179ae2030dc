"""The verb `evaluate` for every kind of model: its labeled photos, its figures, its pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Group

from boxmask.classifiers.contract import Classifier
from boxmask.data.classification.read import read_unsplit_classes
from boxmask.data.detection.read import read_unsplit
from boxmask.data.segmentation.read import read_any_unsplit_pixels
from boxmask.data.split import UnseenClasses
from boxmask.detectors.contract import Detector
from boxmask.errors import UsageError
from boxmask.evaluation.classification.table import class_evaluation_table
from boxmask.evaluation.detection.table import evaluation_table
from boxmask.evaluation.segmentation.table import pixel_table
from boxmask.pipeline.model import Model
from boxmask.runs.splits import Split, chosen_photos
from boxmask.segmenters.contract import Segmenter
from boxmask.tasks.classification.evaluation import judge_classes
from boxmask.tasks.detection.evaluation import draw_judged, judge
from boxmask.tasks.segmentation.evaluation import judge_pixels

RECIPE = "recipe.json"  # what training writes into the folder of a run


@dataclass(frozen=True)
class Reading:
    """What the user says of labels that are not plain; see `boxmask evaluate --help`.

    classes_file, unknown_colors: None: as in training, on the data of the training
    """

    bad_boxes: Literal["stop", "skip"] = "stop"
    classes_file: Path | None = None
    unknown_colors: Literal["stop", "ignore"] | None = None

    def of_pixels(self, run: Path, data: Path) -> dict[str, Any]:
        """How label images are to be read."""
        written = (run if run.is_dir() else run.parent) / RECIPE
        said = json.loads(written.read_text(encoding="utf-8")) if written.is_file() else {}
        before = said.get("recipe", {}) if said.get("data") == str(data.absolute()) else {}
        return {
            "classes_file": self.classes_file or before.get("classes_file"),
            "unknown_colors": self.unknown_colors or before.get("unknown_colors", "stop"),
            "bad_boxes": self.bad_boxes,
        }


@dataclass(frozen=True)
class Verdict:
    """evaluation: has `as_json()`; table: the same for the terminal."""

    evaluation: Any
    table: Group


def labeled_for(model: Model, run: Path, data: Path, split: Split, reading: Reading) -> Any:
    """The labeled photos of a split, in the form that this kind of model is judged by.

    Raises LabelError and PhotoError as the readers do, LabelError where the split has no photos, and
    UsageError for what is said of colors to a model that does not look at them.
    """
    if isinstance(model, Segmenter):
        pixels = read_any_unsplit_pixels(data, **reading.of_pixels(run, data))
        return chosen_photos(pixels, run, data, split)
    if reading.classes_file is not None or reading.unknown_colors is not None:
        raise UsageError(f"--classes-file and --unknown-colors are for segmenters, and {run} is none")
    if isinstance(model, Classifier):
        items = read_unsplit_classes(data, reading.bad_boxes)
        return items.of_photos(chosen_photos(items.photos, run, data, split))
    return chosen_photos(read_unsplit(data, reading.bad_boxes), run, data, split)


def verdict(
    model: Model,
    labeled: Any,
    unseen_classes: UnseenClasses = "stop",
    progress: Callable[[int, int], None] | None = None,
    pictures: Path | None = None,
) -> Verdict:
    """Judge a model by what `labeled_for` gave.

    pictures: a folder into which photos are drawn, as labeled and as found; of a classifier, its mistakes
    """
    if isinstance(model, Segmenter):
        pixels = judge_pixels(model, labeled, unseen_classes, progress, pictures)
        return Verdict(pixels, pixel_table(pixels))
    if isinstance(model, Classifier):
        classes = judge_classes(model, labeled, unseen_classes, progress, pictures)
        return Verdict(classes, class_evaluation_table(classes))
    assert isinstance(model, Detector)
    evaluation, detections = judge(model, labeled, unseen_classes, progress)
    if pictures is not None:
        draw_judged(labeled, detections, pictures)
    return Verdict(evaluation, evaluation_table(evaluation))
