"""Write label maps: beside each photo, an image with the class of every pixel, in `masks/`.

`classes.json` names the class of each pixel value. Class 0 is the background, and 255 is ignored, as in
Pascal VOC. The others are sorted by name, so that a segmenter learns the same from objects as from label
maps. Objects are painted as segmenters learn them (see `LabelMapsFromMasks`): the smallest on top,
difficult objects as ignored, crowd regions and objects without an outline as ignored boxes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.losses import note_unheld_classes, note_unheld_marks
from boxmask.data.formats.mask_images import layout
from boxmask.data.formats.painting import masks_of, paint_smallest_on_top
from boxmask.data.formats.voc_colors import voc_palette
from boxmask.errors import UsageError
from boxmask.masks import IGNORED, Masks

BACKGROUND = "background"

_CLASSES_ALONE = "label maps hold the class of each pixel; objects, their boxes and points are not written"
_AS_BOX = "crowd regions, and objects without an outline, are written as boxes of ignored pixels"
_DIFFICULT = "objects marked as difficult are written as ignored pixels"


class LabelMapWriter:
    """See `boxmask.data.formats.contract.Writer`."""

    NAME = "label-maps"

    def photo_file(self, file: str, split: str) -> str:
        """Photos lie in images/, in a folder of their split."""
        return layout.photo_file(file, split)

    def write(
        self, photos: Iterable[PhotoToWrite], class_names: ClassNames, folder: Path, losses: Losses
    ) -> list[Path]:
        """Write one image per photo, and classes.json.

        Raises UsageError if no object has an outline, or for more classes than 8 bits can number.
        """
        names = (BACKGROUND, *sorted(name for name in class_names if name != BACKGROUND))
        files, has_outlines = [write_classes(names, folder)], False
        numbers = {name: number for number, name in enumerate(names)}
        losses.add(_CLASSES_ALONE, "")
        note_unheld_classes(class_names, class_names, losses)
        for photo in photos:
            has_outlines |= any(not _is_box(labeled) for labeled in photo.objects)
            files.append(write_label_map(_paint(photo, numbers), photo.file, photo.split, folder))
            if any(_is_box(labeled) for labeled in photo.objects):
                losses.add(_AS_BOX, photo.file)
            if any(labeled.difficult for labeled in photo.objects):
                losses.add(_DIFFICULT, photo.file)
            note_unheld_marks(photo, losses, crowd=True, difficult=True)
        if not has_outlines:
            raise UsageError("label-maps: no object has an outline. Write a format of boxes, such as coco.")
        return files


def write_classes(names: Sequence[str], folder: Path) -> Path:
    """Write classes.json, with the pixel value of each class. Raises UsageError for too many."""
    if len(names) > IGNORED:
        raise UsageError(f"label-maps: {len(names)} classes; at most {IGNORED} can be written.")
    path = folder / "classes.json"
    values = {name: number for number, name in enumerate(names)}
    path.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def write_label_map(labels: UInt8[np.ndarray, "H W"], file: str, split: str, folder: Path) -> Path:
    """Write the label map of a photo as a PNG with VOC's colors."""
    path = folder / layout.mask_file(file, split, "masks")
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(labels)
    image.putpalette(voc_palette())
    image.save(path)
    return path


def _is_box(labeled: ObjectToWrite) -> bool:
    return labeled.crowd or labeled.outline is None


def _paint(photo: PhotoToWrite, numbers: Mapping[str, int]) -> UInt8[np.ndarray, "H W"]:
    masks = masks_of(photo, photo.objects)
    crops, corners = masks.crops(), [(x, y) for x, y, *_ in masks.windows.tolist()]
    values = np.array([numbers[labeled.class_name] for labeled in photo.objects], dtype=np.uint8)
    for row, labeled in enumerate(photo.objects):
        if _is_box(labeled) or not crops[row].size:
            x1, y1, x2, y2 = labeled.box
            left, top = math.floor(x1), math.floor(y1)
            crops[row] = np.ones((math.ceil(y2) - top, math.ceil(x2) - left), dtype=bool)
            corners[row] = (left, top)
        if _is_box(labeled) or labeled.difficult:
            values[row] = IGNORED
    return paint_smallest_on_top(Masks.from_crops(crops, corners, photo.size), values, numbers[BACKGROUND])
