"""The verb `predict`: from a run and photos to pictures and files of what was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxmask.detectors.contract import Detector
from boxmask.errors import PhotoError, UsageError
from boxmask.photos.find import find_photos
from boxmask.photos.read import load_photo
from boxmask.results.coco import save_coco
from boxmask.results.formats import (
    PICTURES,
    Result,
    default_forms,
    files_of,
    require_forms,
    require_possible,
    write,
)
from boxmask.results.paths import picture_names, require_apart
from boxmask.segmenters.contract import Segmenter
from boxmask.types import Detections, SegmentationMap

DETECTIONS = "detections.json"


@dataclass(frozen=True)
class Prediction:
    """What was found in each photo, and where it was written.

    photos:     those that could be read
    detections: one for each of these, of a detector
    shares:     how much of each photo each class takes up, of a segmenter
    pictures:   what was drawn
    labels:     the other files of single photos: LabelMe's JSON, label images
    faults:     what is wrong with each photo that could not be read, a sentence with its name
    """

    photos: list[Path]
    detections: list[Detections]
    shares: list[dict[str, float]]
    pictures: list[Path]
    labels: list[Path]
    coco: Path | None
    faults: list[str]


def predict_photos(
    model: Detector | Segmenter,
    inputs: Sequence[str | Path],
    out: Path,
    *,
    save: tuple[str, ...] | None = None,
    min_score: float = 0.5,
    progress: Callable[[int, int], None] | None = None,
) -> Prediction:
    """Find things in photos, folders and globs; write what was found into the folder `out`.

    save:      "jpg" or "png" for drawn pictures, "coco" for one JSON file with all detections, "labelme" for
               LabelMe's JSON in the folder labelme, "labels" for label images in the folder labels
               Default: jpg and coco; of a segmenter, jpg and labels
    min_score: detections under this score are in the COCO file only

    Photos go one at a time, so memory stays small; one that cannot be read becomes a fault, and the others go
    on. Raises PhotoError for an input that matches no photo, and UsageError for a form that is unknown or not
    possible with this model, a file in the way, or a picture that would replace its own photo.
    """
    save = save if save is not None else default_forms(model)
    require_forms(save)
    _require_folder(out)
    photos = find_photos(inputs)
    files = [files_of(name, save, out) for name in picture_names(photos)]
    require_apart([file for of_photo in files for file in of_photo.values()], photos)
    done = Prediction([], [], [], [], [], out / DETECTIONS if "coco" in save else None, [])
    for number, (path, of_photo) in enumerate(zip(photos, files, strict=True), start=1):
        try:
            pixels = load_photo(path)
        except PhotoError as error:
            done.faults.append(str(error))
        else:
            result = model.predict(pixels)
            require_possible(save, result)
            for form, file in of_photo.items():
                write(form, file, path, pixels, result, min_score)
            _remember(done, path, result, of_photo)
        if progress is not None:
            progress(number, len(photos))
    if done.coco is not None:
        save_coco(done.photos, done.detections, done.coco)
    return done


def _remember(done: Prediction, photo: Path, result: Result, files: dict[str, Path]) -> None:
    done.photos.append(photo)
    if isinstance(result, SegmentationMap):
        done.shares.append(result.shares())  # the maps themselves would fill the memory
    else:
        done.detections.append(result)
    for form, file in files.items():
        (done.pictures if form in PICTURES else done.labels).append(file)


def _require_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: is a file; give a folder with --out.")
