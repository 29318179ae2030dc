"""Run a trained model on photos or videos: the work of `boxmask predict` and of its functions in Python."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxmask.errors import UsageError
from boxmask.options import option
from boxmask.prediction.contract import Predictor
from boxmask.prediction.detector_options import ChosenClasses, min_scores
from boxmask.prediction.options import PredictOptions
from boxmask.prediction.predict import Prediction, predict_photos
from boxmask.progress import Progress
from boxmask.tasks.table import task_of
from boxmask.tasks.views import load_with_views
from boxmask.weights.checkpoint import checkpoint_path
from boxmask.weights.published.manifest import is_published_name

if TYPE_CHECKING:
    from boxmask.prediction.video.predict import VideoPrediction
    from boxmask.prediction.video.progress import FrameProgress

NO_SETTINGS = ("resume", "device", "with_runs")
"""Options that the results do not depend on."""


def predict(
    run: Path,
    inputs: Sequence[str | Path],
    out: Path,
    options: PredictOptions,
    progress: Progress | None = None,
) -> Prediction:
    """Run the model of a run on photos, folders and globs, and write the results into the folder `out`.

    Raises CheckpointError and WeightsError as `load_model` does, and PhotoError, UsageError, OutputError and
    DiskFullError as `predict_photos` does; UsageError for options of videos, too.
    """
    if options.every != 1:
        raise UsageError(f"{option('every')} is for videos. Leave it out.")
    if not options.track:
        raise UsageError("--no-track (in Python: track=False) is for videos. Leave it out.")
    model = _load(run, options)
    predictor = _predictor(model, options)
    scores = min_scores(run, model, options.min_score)
    writer = task_of(model).writer(model, out, options.formats, scores)
    settings = _settings(run, options)
    return predict_photos(predictor, inputs, out, writer, progress, settings=settings, resume=options.resume)


def predict_videos(
    run: Path,
    videos: Sequence[str | Path],
    out: Path,
    options: PredictOptions,
    progress: FrameProgress | None = None,
) -> VideoPrediction:
    """Run the model of a run on videos and cameras, and write the results into the folder `out`.

    Raises CheckpointError and WeightsError as `load_model` does, UsageError for `options.resume`, and
    VideoError, UsageError and DiskFullError as `prediction.video.predict.predict_videos` does.
    """
    if options.resume:
        raise UsageError(
            f"{option('resume')} does not work for videos, which always start over. Leave it out."
        )
    from boxmask.prediction.video.predict import VideoOptions
    from boxmask.prediction.video.predict import predict_videos as predict_video_files

    video_options = VideoOptions(formats=options.formats, every=options.every, track=options.track)
    model = _load(run, options)
    predictor = _predictor(model, options)
    scores = min_scores(run, model, options.min_score)
    return predict_video_files(predictor, videos, out, replace(video_options, min_score=scores), progress)


def _load(run: Path, options: PredictOptions) -> Any:
    """The model of the run, or several as one, with the options that change it."""
    return load_with_views(run, options, options.device, options.svd, options.nms_iou)


def _predictor(model: Any, options: PredictOptions) -> Predictor:
    """The model with everything around it that changes what `predict` returns."""
    predictor: Predictor = model
    if options.classes is not None:
        predictor = ChosenClasses(predictor, model, options.classes)
    return predictor


def _settings(run: Path, options: PredictOptions) -> dict[str, Any]:
    """What the results depend on besides the photos, as JSON can hold it."""
    kept = {name: value for name, value in asdict(options).items() if name not in NO_SETTINGS}
    kept["with"] = [_fingerprint(path) for path in options.with_runs]
    return {"version": version("boxmask"), "model": _fingerprint(run), **kept}


def _fingerprint(run: Path) -> str:
    """A digest of the weights, or the name of published ones."""
    if is_published_name(run):
        return run.as_posix()
    with checkpoint_path(run).open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
