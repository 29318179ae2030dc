"""The public verbs: what most programs need of boxmask, in a few words. torch is imported inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from boxmask.classifiers.contract import Classifier
    from boxmask.detectors.contract import Detector
    from boxmask.evaluation.classification.evaluate import ClassificationEvaluation
    from boxmask.evaluation.detection.evaluate import DetectionEvaluation
    from boxmask.evaluation.segmentation.evaluate import SegmentationEvaluation
    from boxmask.prediction.predict import Prediction
    from boxmask.runs.recipe import Recipe
    from boxmask.runs.run import Run
    from boxmask.segmenters.contract import Segmenter


def train(
    data: str | Path, *, recipe: Recipe | None = None, out: str | Path | None = None, **choices: Any
) -> Run:
    """Train on labeled photos; gives the run, whose folder holds the weights.

    recipe, choices: a `boxmask.runs.recipe.Recipe`, and single fields of it by name, for example
    `model="faster-rcnn", max_minutes=10`. Ctrl-C ends the training early; `run.finished` tells. Raises what
    `boxmask train` would print.
    """
    from boxmask.runs.recipe import Recipe
    from boxmask.training.train import train as begin

    return begin(data, replace(recipe or Recipe(), **choices), Path(out) if out else None)[0]


def load(run: str | Path, device: str = "cpu") -> Detector | Segmenter | Classifier:
    """The model of a run's folder or checkpoint, ready to `predict`."""
    from boxmask.weights.checkpoint import load_model

    return load_model(run, device)


def evaluate(
    run: str | Path,
    data: str | Path,
    split: Literal["train", "val", "test", "all"] = "test",
    *,
    on_bad_boxes: Literal["error", "skip"] | None = None,
    on_unseen_classes: Literal["error", "skip"] = "error",
    classes_file: str | Path | None = None,
    on_unknown_colors: Literal["error", "skip"] | None = None,
    device: str = "cpu",
) -> DetectionEvaluation | SegmentationEvaluation | ClassificationEvaluation:
    """Judge a run on labeled photos; `.to_dict()` gives the figures by name.

    What the choices mean is in `boxmask evaluate --help`.
    """
    from boxmask.tasks.evaluate import LabelOptions, evaluate_model, read_split
    from boxmask.weights.checkpoint import load_model

    model = load_model(run, device)
    reading = LabelOptions(on_bad_boxes, Path(classes_file) if classes_file else None, on_unknown_colors)
    labeled = read_split(model, Path(run), Path(data), split, reading)
    judged: DetectionEvaluation | SegmentationEvaluation | ClassificationEvaluation = evaluate_model(
        model, labeled, on_unseen_classes
    ).evaluation
    return judged


def predict(
    run: str | Path,
    photos: Sequence[str | Path],
    out: str | Path = "predictions",
    *,
    min_score: float = 0.5,
    device: str = "cpu",
) -> Prediction:
    """Draw what a run finds in photos, folders and globs into the folder `out`; not of classifiers."""
    from boxmask.classifiers.contract import Classifier
    from boxmask.errors import UsageError
    from boxmask.prediction.predict import predict_photos
    from boxmask.weights.checkpoint import load_model

    model = load_model(run, device)
    if isinstance(model, Classifier):
        raise UsageError(f"{run}: a classifier draws nothing; use boxmask.load(run).predict(photos)")
    return predict_photos(model, photos, Path(out), min_score=min_score)
