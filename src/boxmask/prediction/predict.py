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
from boxmask.results.detections import DEFAULT_DETECTION_FORMATS, check_detection_formats, write_detections
from boxmask.results.formats import FORMATS, PICTURE_FORMATS, check_formats, output_files
from boxmask.results.paths import check_not_overwriting, picture_names
from boxmask.results.segmentation import (
    DEFAULT_SEGMENTATION_FORMATS,
    check_segmentation_formats,
    write_segmentation,
)
from boxmask.segmenters.contract import Segmenter
from boxmask.types import Detections, SegmentationMap
from boxmask.visualization.style import RGBImage

DETECTIONS = "detections.json"
Result = Detections | SegmentationMap


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
               LabelMe's JSON in the folder labelme, "label-maps" for label images in the folder label-maps
               Default: jpg and coco; of a segmenter, jpg and label-maps
    min_score: detections under this score are in the COCO file only

    Photos go one at a time, so memory stays small; one that cannot be read becomes a fault, and the others go
    on. Raises PhotoError for an input that matches no photo, and UsageError for a form that is unknown or not
    possible with this model, a file in the way, or a picture that would replace its own photo.
    """
    default = DEFAULT_SEGMENTATION_FORMATS if isinstance(model, Segmenter) else DEFAULT_DETECTION_FORMATS
    save = save if save is not None else default
    check_formats(save, FORMATS, "")
    _require_folder(out)
    photos = find_photos(inputs)
    files = [output_files(name, save, out) for name in picture_names(photos)]
    check_not_overwriting([file for of_photo in files for file in of_photo.values()], photos)
    done = Prediction([], [], [], [], [], out / DETECTIONS if "coco" in save else None, [])
    for number, (path, of_photo) in enumerate(zip(photos, files, strict=True), start=1):
        try:
            pixels = load_photo(path)
        except PhotoError as error:
            done.faults.append(str(error))
        else:
            result = model.predict(pixels)
            _check_possible(save, result)
            for form, file in of_photo.items():
                _write(form, file, path, pixels, result, min_score)
            _remember(done, path, result, of_photo)
        if progress is not None:
            progress(number, len(photos))
    if done.coco is not None:
        save_coco(done.photos, done.detections, done.coco)
    return done


def _check_possible(formats: Sequence[str], result: Result) -> None:
    if isinstance(result, SegmentationMap):
        check_segmentation_formats(formats)
    else:
        check_detection_formats(formats, masks=result.masks is not None)


def _write(form: str, file: Path, photo: Path, pixels: RGBImage, result: Result, min_score: float) -> None:
    if isinstance(result, SegmentationMap):
        write_segmentation(form, file, pixels, result)
    else:
        write_detections(form, file, photo, pixels, result, min_score)


def _remember(done: Prediction, photo: Path, result: Result, files: dict[str, Path]) -> None:
    done.photos.append(photo)
    if isinstance(result, SegmentationMap):
        done.shares.append(result.shares())  # the maps themselves would fill the memory
    else:
        done.detections.append(result)
    for form, file in files.items():
        (done.pictures if form in PICTURE_FORMATS else done.labels).append(file)


def _require_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: is a file; give a folder with --out.")
