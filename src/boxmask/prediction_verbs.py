"""The public functions that write predictions. torch is imported inside, as in `boxmask.model_verbs`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from boxmask.missing_packages import needs_packages
from boxmask.model_verbs import RunsLike
from boxmask.progress import Progress
from boxmask.run_paths import run_paths

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from boxmask.prediction.options import PredictKeywords
    from boxmask.prediction.predict import Prediction
    from boxmask.prediction.video.predict import VideoPrediction
    from boxmask.prediction.video.progress import FrameProgress
    from boxmask.runs.run import Run  # noqa: F401 (RunsLike names it)


@needs_packages("boxmask.predict")
def predict(
    run: RunsLike,
    photos: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str] = "predictions",
    *,
    progress: Progress | None = None,
    **options: Unpack[PredictKeywords],
) -> Prediction:
    """Run a trained model on photos, folders and globs, and write the results into the folder `out`.

        boxmask.predict(run, "holiday/", "found/", save="png,coco", classes=["cat", "dog"])

    options: fields of `boxmask.prediction.options.PredictOptions`; `boxmask predict --help` describes them

    To get results without writing files, use `boxmask.load(run).predict(photos)`.
    Raises PhotoError, CheckpointError, WeightsError, OutputError or UsageError.
    """
    from boxmask.prediction.options import options_from_keywords
    from boxmask.tasks.prediction import predict as predict_photos

    inputs = [photos] if isinstance(photos, str | os.PathLike) else photos
    paths = [Path(photo) for photo in inputs]
    runs = run_paths(run)
    return predict_photos(runs[0], paths, Path(out), options_from_keywords(options, runs), progress)


@needs_packages("boxmask.predict_video")
def predict_video(
    run: RunsLike,
    videos: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str] = "predictions",
    *,
    progress: FrameProgress | None = None,
    **options: Unpack[PredictKeywords],
) -> VideoPrediction:
    """Run a trained model on videos, and write annotated videos and tables into the folder `out`.

        boxmask.predict_video(run, "clip.mp4", "found/", save="mp4,csv", every=3)

    videos:  files, or "camera:0" for the first camera
    options: fields of `boxmask.prediction.options.PredictOptions`; `boxmask predict --help` describes them.
             Formats are "mp4" (the annotated video), "csv" and "jsonl"

    Ctrl-C and SIGTERM stop it after the current frame and complete the files; `finished` is then False. To
    get the frames without writing files, use `boxmask.prediction.video.frames.predict_frames`.
    Raises CheckpointError, WeightsError, OutputError or UsageError.
    """
    from boxmask.prediction.options import options_from_keywords
    from boxmask.tasks.prediction import predict_videos

    inputs = [videos] if isinstance(videos, str | os.PathLike) else videos
    names = [os.fspath(video) for video in inputs]
    runs = run_paths(run)
    return predict_videos(runs[0], names, Path(out), options_from_keywords(options, runs), progress)
