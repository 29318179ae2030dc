"""boxmask predict RUN PHOTO...: draw what is found in photos."""

from __future__ import annotations

import sys
from pathlib import Path


def predict(
    run: Path,
    photos: list[str],
    /,
    *,
    out: Path = Path("predictions"),
    save: str = "jpg,coco",
    min_score: float = 0.5,
    svd: tuple[int, int] | None = None,
    device: str = "cpu",
) -> int:
    """Find things in photos, and draw them.

    Parameters
    ----------
    run
        The folder that training wrote, or a checkpoint in it.
    photos
        Photos, folders or globs.
    out
        The folder that pictures and detections.json are written into.
    save
        What to write, several with commas between: jpg or png for pictures; coco for one COCO JSON with all
        detections and their masks; labelme for LabelMe's JSON of each photo, to be corrected by hand; labels
        for images whose pixels are numbers, of objects with masks or of classes.
    min_score
        Pictures, LabelMe's JSON and label images hold detections from this score on.
    svd
        Fast R-CNN: the ranks of the truncated SVD of its two fully connected layers, for example 128 64:
        quicker, and a little less precise.
    device
        Where the network runs, for example cpu or cuda.
    """
    from boxmask.cli.bar import photo_bar
    from boxmask.detectors.fast_rcnn import truncate
    from boxmask.prediction.predict import predict_photos
    from boxmask.weights.checkpoint import load_detector

    detector = load_detector(run, device)
    if svd is not None:
        truncate(detector, svd)
    forms = tuple(form.strip() for form in save.split(",") if form.strip())
    with photo_bar("finding") as progress:
        done = predict_photos(detector, photos, out, save=forms, min_score=min_score, progress=progress)
    shown = sum(len(found.above(min_score)) for found in done.detections)
    print(f"{len(done.photos)} photos, {shown} objects with a score of {min_score:g} or more")
    print(out)
    for fault in done.faults:
        print(f"boxmask: {fault}", file=sys.stderr)
    return 1 if done.faults else 0
