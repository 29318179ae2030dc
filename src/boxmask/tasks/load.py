"""Load one or several runs as one model, which may predict several views of each photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from boxmask.detectors.fast_rcnn import compress_with_svd
from boxmask.errors import UsageError
from boxmask.prediction.passes import MIN_TILE, PassOptions
from boxmask.runs.photo_sides import training_photo_side
from boxmask.tasks.loading import AnyPredictor, load_predictor
from boxmask.tasks.table import task_of


def load_with_passes(
    run: Path, passes: PassOptions, device: str = "auto", svd: tuple[int, int] | None = None
) -> Any:
    """The model of a run, as an ensemble with others, in tiles and with test-time augmentation as chosen.

    run: a run or checkpoint, or the name of published weights
    svd: ranks of the truncated SVD of Fast R-CNN's fully connected layers

    Raises CheckpointError, WeightsError and UsageError as `load_predictor` does, and UsageError for runs that
    do not fit together or options that do not fit the model.
    """
    runs = passes.runs(run)
    models = [load_predictor(path, device) for path in runs]
    if svd is not None:
        for model in models:
            compress_with_svd(model, svd)
    return in_passes(runs, models, passes)


def in_passes(runs: Sequence[Path], models: Sequence[AnyPredictor], passes: PassOptions) -> Any:
    """The same for models that were loaded from these runs."""
    task = task_of(models[0])
    for run, model in zip(runs, models, strict=True):
        if not isinstance(task_of(model), type(task)):
            raise UsageError(
                f"{runs[0]} and {run} give different kinds of results. Combine detectors with detectors, "
                "segmenters with segmenters, or classifiers with classifiers."
            )
    tile = passes.tiles
    if tile == "auto":
        tile = max(MIN_TILE, training_photo_side(runs[0]) or int(models[0].config.shorter_side))
    return task.in_passes(models, passes, tile)
