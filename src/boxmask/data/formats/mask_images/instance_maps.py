"""Write instance maps: beside each photo, a 16-bit image of object numbers, in `labels/`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.losses import note_unheld_classes, note_unheld_marks
from boxmask.data.formats.mask_images import layout
from boxmask.data.formats.painting import (
    OVERLAPS,
    PIXELS,
    WITHOUT_OUTLINE,
    masks_of,
    overlap,
    paint_smallest_on_top,
)
from boxmask.data.outlines import RunLengths
from boxmask.errors import UsageError

MAX_OBJECTS = 2**16 - 1

_CLASSES = "instance maps do not tell the classes of objects; they are all called object"
_CROWD = "crowd regions are not written"


class InstanceMapWriter:
    """See `boxmask.data.formats.contract.Writer`."""

    NAME = "instance-maps"

    def photo_file(self, file: str, split: str) -> str:
        """Photos lie in images/, in a folder of their split."""
        return layout.photo_file(file, split)

    def write(
        self, photos: Iterable[PhotoToWrite], class_names: ClassNames, folder: Path, losses: Losses
    ) -> list[Path]:
        """Write one image per photo, and the name of the class if there is only one.

        Raises UsageError if no object has an outline.
        """
        files, has_outlines = [], False
        for photo in photos:
            written = [
                labeled for labeled in photo.objects if labeled.outline is not None and not labeled.crowd
            ]
            has_outlines |= bool(written)
            path = folder / layout.mask_file(photo.file, photo.split, "labels")
            _write_map(photo, written[:MAX_OBJECTS], path)
            _note_losses(photo, written, losses)
            files.append(path)
        if not has_outlines:
            raise UsageError(
                "instance-maps: no object has an outline. Write a format of boxes, such as coco."
            )
        note_unheld_classes(class_names, class_names, losses)
        if len(class_names) > 1:
            losses.add(_CLASSES, "")
            return files
        path = folder / "classes.txt"
        path.write_text("".join(f"{name}\n" for name in class_names), encoding="utf-8")
        return [*files, path]


def _write_map(photo: PhotoToWrite, objects: list[ObjectToWrite], path: Path) -> None:
    numbers = np.arange(1, len(objects) + 1, dtype=np.uint16)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(paint_smallest_on_top(masks_of(photo, objects), numbers)).save(path)


def _note_losses(photo: PhotoToWrite, written: list[ObjectToWrite], losses: Losses) -> None:
    for labeled in photo.objects:
        if labeled.crowd or labeled.outline is None:
            losses.add(_CROWD if labeled.crowd else WITHOUT_OUTLINE, photo.file)
        elif not isinstance(labeled.outline, RunLengths):
            losses.add(PIXELS, photo.file)
    if len(written) > MAX_OBJECTS:
        losses.add(f"only the first {MAX_OBJECTS} objects of a photo are written", photo.file)
    if overlap(masks_of(photo, written)):
        losses.add(OVERLAPS, photo.file)
    note_unheld_marks(photo, losses, crowd=True)
