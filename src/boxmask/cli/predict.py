"""boxmask predict RUN PHOTO...: find objects in photos."""

from __future__ import annotations

from pathlib import Path


def predict(
    run: Path,
    photos: list[str],
    /,
    *,
    out: Path = Path("predictions"),
    save: str | None = None,
    min_score: float = 0.5,
    svd: tuple[int, int] | None = None,
    device: str = "auto",
) -> int:
    """Run a trained model on photos. A classifier writes the class of each photo to classes.csv.

    Parameters
    ----------
    run
        Folder written by training, a checkpoint file, or the name of published weights such as
        torchvision/ssdlite320_mobilenet_v3_large (boxmask weights list).
    photos
        Photos, folders or globs.
    out
        Folder for the results.
    save
        Formats to write, separated by commas: jpg or png (pictures), coco or csv (one file with all
        detections), yolo, voc or labelme (one file per photo), label-maps (one PNG per photo with the
        object number or class index of every pixel). Default: jpg,coco; for segmenters jpg,label-maps.
    min_score
        Minimum score in the files of each photo. COCO and CSV files hold all detections.
    svd
        Fast R-CNN only. Ranks of the truncated SVD of its two fully connected layers, for example 128 64.
        Faster, and a little less accurate.
    device
        "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", ...
    """
    from boxmask.cli.output import print_errors, print_notes
    from boxmask.cli.progress import photo_progress
    from boxmask.detectors.fast_rcnn import compress_with_svd
    from boxmask.messages import format_count
    from boxmask.prediction.predict import predict_photos
    from boxmask.tasks.table import task_of
    from boxmask.weights.checkpoint import load_model

    model = load_model(run, device)
    if svd is not None:
        compress_with_svd(model, svd)
    writer = task_of(model).writer(model, out, _formats(save), min_score)
    with photo_progress("predicting") as progress:
        prediction = predict_photos(model, photos, out, writer, progress)
    print_notes(prediction.notes)
    photos_read = format_count(len(prediction.photos), "photo")
    print(f"{photos_read}, {prediction.summary}" if prediction.summary else photos_read)
    print(out)
    return print_errors(prediction.errors)


def _formats(save: str | None) -> tuple[str, ...] | None:
    return None if save is None else tuple(name.strip() for name in save.split(",") if name.strip())
