"""Load one or several runs as one model, which may predict several views of each photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from boxmask.detectors.fast_rcnn import compress_with_svd
from boxmask.errors import UsageError
from boxmask.prediction.detector_options import with_nms_iou
from boxmask.prediction.view_options import MIN_TILE, ViewOptions
from boxmask.runs.photo_sides import training_photo_side
from boxmask.tasks.predictors import AnyPredictor, load_predictor
from boxmask.tasks.table import task_of


def load_with_views(
    run: Path,
    views: ViewOptions,
    device: str = "auto",
    svd: tuple[int, int] | None = None,
    nms_iou: float | None = None,
) -> Any:
    """The model of a run, as an ensemble with others, in tiles and with test-time augmentation as chosen.

    run:     a run or checkpoint, or the name of published weights
    svd:     ranks of the truncated SVD of Fast R-CNN's fully connected layers
    nms_iou: of detectors; None: that of the run

    Raises CheckpointError, WeightsError and UsageError as `load_predictor` does, and UsageError for runs that
    do not fit together or options that do not fit the model.
    """
    runs, models = views.runs(run), []
    for path in runs:
        model: Any = load_predictor(path, device)
        if svd is not None:
            compress_with_svd(model, svd)
        models.append(model if nms_iou is None else with_nms_iou(model, nms_iou))
    return _with_views(runs, models, views)


def _with_views(runs: Sequence[Path], models: Sequence[AnyPredictor], views: ViewOptions) -> Any:
    task = task_of(models[0])
    for run, model in zip(runs, models, strict=True):
        if not isinstance(task_of(model), type(task)):
            raise UsageError(
                f"{runs[0]} and {run} give different kinds of results. Combine detectors with detectors, "
                "segmenters with segmenters, or classifiers with classifiers."
            )
    tile = views.tiles
    if tile == "auto":
        tile = max(MIN_TILE, training_photo_side(runs[0]) or int(models[0].config.shorter_side))
    return task.with_views(models, views, tile)
