"""The public verbs: what most programs need of boxmask, in a few words. torch is imported inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from boxmask.detectors.contract import Detector
    from boxmask.evaluation.evaluate import Evaluation
    from boxmask.prediction.predict import Prediction
    from boxmask.training.recipe import Recipe
    from boxmask.training.run import Run


def train(
    data: str | Path, *, recipe: Recipe | None = None, out: str | Path | None = None, **choices: Any
) -> Run:
    """Train on labelled photos; gives the run, whose folder holds the weights.

    recipe, choices: a `boxmask.training.recipe.Recipe`, and single fields of it by name, for example
    `model="faster-rcnn", max_minutes=10`. Ctrl-C ends the training early; `run.finished` tells. Raises what
    `boxmask train` would print.
    """
    from boxmask.training.recipe import Recipe
    from boxmask.training.train import train as begin

    return begin(data, replace(recipe or Recipe(), **choices), Path(out) if out else None)[0]


def load(run: str | Path, device: str = "cpu") -> Detector:
    """The detector of a run's folder or checkpoint, ready to `predict`."""
    from boxmask.weights.checkpoint import load_detector

    return load_detector(run, device)


def evaluate(
    run: str | Path,
    data: str | Path,
    split: Literal["train", "val", "test", "all"] = "test",
    *,
    bad_boxes: Literal["stop", "skip"] = "stop",
    unseen_classes: Literal["stop", "ignore"] = "stop",
    device: str = "cpu",
) -> Evaluation:
    """Judge a run on labelled photos; `.as_json()` gives the figures by name.

    What the choices mean is in `boxmask evaluate --help`.
    """
    from boxmask.prediction.judge import judge, photos_to_judge
    from boxmask.weights.checkpoint import load_detector

    dataset = photos_to_judge(Path(run), Path(data), split, bad_boxes)
    return judge(load_detector(run, device), dataset, unseen_classes)[0]


def predict(
    run: str | Path,
    photos: Sequence[str | Path],
    out: str | Path = "predictions",
    *,
    min_score: float = 0.5,
    device: str = "cpu",
) -> Prediction:
    """Draw what a run finds in photos, folders and globs into the folder `out`."""
    from boxmask.prediction.predict import predict_photos
    from boxmask.weights.checkpoint import load_detector

    return predict_photos(load_detector(run, device), photos, Path(out), min_score=min_score)
