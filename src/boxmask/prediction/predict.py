"""The verb `predict`: from a run and photos to pictures with boxes and one file of detections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxmask.detectors.contract import Detector
from boxmask.errors import PhotoError, UsageError
from boxmask.pipeline.photos import find_photos, load_photo
from boxmask.prediction.draw import draw
from boxmask.prediction.names import picture_names, require_apart
from boxmask.prediction.save import save_coco, save_picture
from boxmask.types import Detections

DETECTIONS = "detections.json"
FORMS = ("png", "jpg", "coco")


@dataclass(frozen=True)
class Prediction:
    """What was found in each photo, and where it was written.

    photos, detections: one for each photo that could be read
    faults:             what is wrong with each of the others, a sentence with its name
    """

    photos: list[Path]
    detections: list[Detections]
    pictures: list[Path]
    coco: Path | None
    faults: list[str]


def predict_photos(
    detector: Detector,
    inputs: Sequence[str | Path],
    out: Path,
    *,
    save: tuple[str, ...] = ("jpg", "coco"),
    min_score: float = 0.5,
    progress: Callable[[int, int], None] | None = None,
) -> Prediction:
    """Detect in photos, folders and globs; write pictures and COCO's JSON into the folder `out`.

    save:      "jpg" or "png" for drawn pictures, "coco" for one JSON file with all detections
    min_score: pictures show detections from this score on; the JSON holds all

    Photos go one at a time, so memory stays small; one that cannot be read becomes a fault, and the others go
    on. Raises PhotoError for an input that matches no photo, and UsageError for an unknown form, a file in
    the way, or a picture that would replace its own photo.
    """
    _require_writable(out, save)
    photos = find_photos(inputs)
    endings = [form for form in save if form != "coco"]
    pictures = [[out / f"{name}.{ending}" for ending in endings] for name in picture_names(photos)]
    require_apart([picture for of_photo in pictures for picture in of_photo], photos)
    done = Prediction([], [], [], out / DETECTIONS if "coco" in save else None, [])
    for number, (path, of_photo) in enumerate(zip(photos, pictures, strict=True), start=1):
        try:
            photo = load_photo(path)
        except PhotoError as error:
            done.faults.append(str(error))
        else:
            done.photos.append(path)
            done.detections.append(detector.predict(photo))
            for picture in of_photo:
                save_picture(draw(photo, done.detections[-1], min_score=min_score), picture)
                done.pictures.append(picture)
        if progress is not None:
            progress(number, len(photos))
    if done.coco is not None:
        save_coco(done.photos, done.detections, done.coco)
    return done


def _require_writable(out: Path, save: tuple[str, ...]) -> None:
    unknown = [form for form in save if form not in FORMS]
    if unknown or not save:
        named = ", ".join(unknown) or "nothing"
        raise UsageError(f"--save {named}: not known; there are: {', '.join(FORMS)}")
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: is a file; give a folder with --out.")
