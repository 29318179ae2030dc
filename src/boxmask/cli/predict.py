"""boxmask predict RUN PHOTO...: find objects in photos, videos and cameras."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from boxmask.cli.imports import quick_imports
from boxmask.prediction.options import PredictOptions
from boxmask.program_start import INTERRUPTED


def predict(
    run: Path,
    photos: list[str],
    /,
    *,
    out: Path = Path("predictions"),
    options: Annotated[PredictOptions, Parameter(name="*")] = PredictOptions(),  # noqa: B008 (frozen)
) -> int:
    """Run a trained model on photos or videos. A classifier writes the class of each photo to classes.csv.

    Ctrl-C, SIGTERM and a closed terminal stop it after the current photo; the exit code is then 130. To
    continue, run the same command with --resume. A video stops after the current frame, and its files are
    completed; it cannot be continued.

    Parameters
    ----------
    run
        Folder written by training, a checkpoint, an exported file (.onnx), or the name of published weights
        such as torchvision/ssdlite320_mobilenet_v3_large (boxmask weights list).
    photos
        Photos, folders or globs. Or videos and cameras (camera:0, camera:1, ...), but not together with
        photos. Videos in folders are not used.
    out
        Folder for the results.
    """
    from boxmask.cli.output import print_errors, print_notes
    from boxmask.cli.progress import photo_progress
    from boxmask.messages import format_count
    from boxmask.prediction.video.sources import only_videos

    with quick_imports():
        from boxmask.tasks.prediction import predict as predict_photos

    if only_videos(photos):
        return _predict_videos(run, photos, out, options)
    done = 0
    try:
        with photo_progress("predicting") as show:

            def advance(number: int, total: int) -> None:
                nonlocal done
                done = number
                show(number, total)

            prediction = predict_photos(run, photos, out, options, advance)
    except KeyboardInterrupt:
        if not done:
            raise
        print("stopped. To continue, run the same command with --resume.", file=sys.stderr)
        return INTERRUPTED
    print_notes(prediction.notes)
    photos_read = format_count(len(prediction.photos), "photo")
    print(f"{photos_read}, {prediction.summary}" if prediction.summary else photos_read)
    print(out)
    return print_errors(prediction.errors)


def _predict_videos(run: Path, videos: list[str], out: Path, options: PredictOptions) -> int:
    from boxmask.cli.output import print_errors, print_notes
    from boxmask.cli.progress import frame_progress

    with quick_imports():
        from boxmask.tasks.prediction import predict_videos

    with frame_progress("predicting") as progress:
        prediction = predict_videos(run, videos, out, options, progress)
    print_notes(prediction.notes)
    for summary in prediction.summaries:
        print(summary)
    print(out)
    status = print_errors(prediction.errors, "video")
    if not prediction.finished:
        print("stopped. The files are complete up to the last predicted frame.", file=sys.stderr)
        return INTERRUPTED
    return status
