"""boxmask predict RUN PHOTO...: draw what is found in photos."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from boxmask.errors import UsageError

if TYPE_CHECKING:
    from boxmask.prediction.predict import Prediction


def predict(
    run: Path,
    photos: list[str],
    /,
    *,
    out: Path = Path("predictions"),
    save: str | None = None,
    min_score: float = 0.5,
    svd: tuple[int, int] | None = None,
    device: str = "cpu",
) -> int:
    """Find things in photos, and draw them; of a classifier, write what each photo shows into classes.csv.

    Parameters
    ----------
    run
        The folder that training wrote, or a checkpoint in it.
    photos
        Photos, folders or globs.
    out
        The folder that pictures, detections.json, label images or classes.csv are written into.
    save
        What to write, several with commas between: jpg or png for pictures; coco for one COCO JSON with all
        detections and their masks; labelme for LabelMe's JSON of each photo, to be corrected by hand;
        label-maps for images whose pixels are numbers, of objects with masks or of classes. Default: jpg and
        coco; of models that say the class of every pixel, jpg and label-maps.
    min_score
        Pictures, LabelMe's JSON and label images hold detections from this score on.
    svd
        Fast R-CNN: the ranks of the truncated SVD of its two fully connected layers, for example 128 64:
        quicker, and a little less precise.
    device
        Where the network runs, for example cpu or cuda.
    """
    from boxmask.classifiers.contract import Classifier
    from boxmask.cli.bar import photo_bar
    from boxmask.detectors.fast_rcnn import truncate
    from boxmask.prediction.predict import predict_photos
    from boxmask.tasks.classification.prediction import classify_photos
    from boxmask.weights.checkpoint import load_model

    model = load_model(run, device)
    if svd is not None:
        truncate(model, svd)
    if isinstance(model, Classifier):
        if save is not None:
            raise UsageError("--save: a classifier writes classes.csv; leave the flag out")
        with photo_bar("classifying") as progress:
            classified = classify_photos(model, photos, out, progress=progress)
        print(f"{len(classified.photos)} photos")
        return _told(classified.table, classified.faults)
    with photo_bar("finding") as progress:
        done = predict_photos(model, photos, out, save=_forms(save), min_score=min_score, progress=progress)
    print(_summary(done, min_score))
    return _told(out, done.faults)


def _forms(save: str | None) -> tuple[str, ...] | None:
    return None if save is None else tuple(form.strip() for form in save.split(",") if form.strip())


def _summary(done: Prediction, min_score: float) -> str:
    if done.shares:
        return f"{len(done.photos)} photos"
    shown = sum(len(found.filter(min_score=min_score)) for found in done.detections)
    return f"{len(done.photos)} photos, {shown} objects with a score of {min_score:g} or more"


def _told(written: Path, faults: list[str]) -> int:
    """Say where the results are, and what went wrong."""
    print(written)
    for fault in faults:
        print(f"boxmask: {fault}", file=sys.stderr)
    return 1 if faults else 0
