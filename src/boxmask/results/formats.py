"""What can be written of a photo's result, by form: what a detector's and a segmenter's differ in is here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.errors import UsageError
from boxmask.results.coco import save_picture
from boxmask.results.label_maps import CLASSES, save_class_labels, save_classes, save_instance_labels
from boxmask.results.labelme import save_labelme
from boxmask.segmenters.contract import Segmenter
from boxmask.types import Detections, SegmentationMap
from boxmask.visualization.detections import draw
from boxmask.visualization.segmentation import draw_map
from boxmask.visualization.style import Picture

Result = Detections | SegmentationMap

PICTURES = ("jpg", "png")
FILES = {  # of each photo, in the folder of results
    "jpg": "{name}.jpg",
    "png": "{name}.png",
    "labelme": "labelme/{name}.json",
    "labels": "labels/{name}.png",
}
FORMS: tuple[str, ...] = ("jpg", "png", "coco", "labelme", "labels")  # "coco" is one file for all photos
OF_MAPS: tuple[str, ...] = ("jpg", "png", "labels")
OF_BOXES: tuple[str, ...] = ("jpg", "png", "coco", "labelme")


def default_forms(model: object) -> tuple[str, ...]:
    """What is written where the user says nothing."""
    return ("jpg", "labels") if isinstance(model, Segmenter) else ("jpg", "coco")


def require_forms(forms: Sequence[str]) -> None:
    """Raise UsageError for forms that there are not, or none."""
    unknown = [form for form in forms if form not in FORMS]
    if unknown or not forms:
        named = ", ".join(unknown) or "nothing"
        raise UsageError(f"--save {named}: not known; there are: {', '.join(FORMS)}")


def require_possible(forms: Sequence[str], result: Result) -> None:
    """Raise UsageError for a form that such a result cannot be written in."""
    possible, why = FORMS, ""
    if isinstance(result, SegmentationMap):
        possible, why = OF_MAPS, "is for single objects, and this model says the class of every pixel"
    elif result.masks is None:
        possible, why = OF_BOXES, "is for masks, and this detector finds boxes"
    for form in forms:
        if form not in possible:
            raise UsageError(f"--save {form}: {why}; there are: {', '.join(possible)}")


def files_of(name: str, forms: Sequence[str], folder: Path) -> dict[str, Path]:
    """The file of each form for the photo called `name`; forms that have one file for all are not in it."""
    return {form: folder / FILES[form].format(name=name) for form in forms if form in FILES}


def write(form: str, path: Path, photo: Path, pixels: Picture, result: Result, min_score: float) -> None:
    """Write one form of one photo's result, which `require_possible` allows; without those under `min_score`.

    Raises UsageError as the form's own writer does.
    """
    if isinstance(result, SegmentationMap):
        _write_map(form, path, pixels, result)
        return
    found = result.above(min_score)
    if form in PICTURES:
        save_picture(draw(pixels, found, min_score=min_score), path)
    elif form == "labelme":
        save_labelme(photo, found, path)
    else:
        save_instance_labels(found, path)


def _write_map(form: str, path: Path, pixels: Picture, found: SegmentationMap) -> None:
    if form in PICTURES:
        save_picture(draw_map(pixels, found), path)
    else:
        save_class_labels(found, path)
        save_classes(found.class_names, path.parent.parent / CLASSES)
