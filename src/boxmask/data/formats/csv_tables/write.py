"""Write tables of labels in TensorFlow's form: `train_labels.csv` and so on, with photos in `images/`.

    filename,width,height,class,xmin,ymin,xmax,ymax

Corners are continuous edges in pixels, as exact as a float64: a box from 0 to 10 is 10 pixels wide.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from boxmask.data.formats.contract import ClassNames, Losses, PhotoToWrite
from boxmask.data.formats.losses import (
    WITHOUT_OBJECTS,
    note_boxes_only,
    note_unheld_classes,
    note_unheld_marks,
)
from boxmask.data.formats.numbers import short_number

HEADER = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")


class CsvWriter:
    """See `boxmask.data.formats.contract.Writer`."""

    NAME = "csv"

    def photo_file(self, file: str, split: str) -> str:
        """All photos lie in images/."""
        return f"images/{file}"

    def write(
        self, photos: Iterable[PhotoToWrite], class_names: ClassNames, folder: Path, losses: Losses
    ) -> list[Path]:
        """Write one table per split, and one for photos in no split."""
        tables: dict[Path, Any] = {}
        used: set[str] = set()
        with ExitStack() as stack:
            for photo in photos:
                path = folder / (f"{photo.split}_labels.csv" if photo.split else "labels.csv")
                if path not in tables:
                    file = stack.enter_context(path.open("x", encoding="utf-8", newline=""))
                    tables[path] = csv.writer(file, lineterminator="\n")
                    tables[path].writerow(HEADER)
                tables[path].writerows(rows(photo, self.photo_file(photo.file, photo.split)))
                if not photo.objects:
                    losses.add(WITHOUT_OBJECTS, photo.file)
                note_boxes_only(photo, losses)
                note_unheld_marks(photo, losses)
                used.update(labeled.class_name for labeled in photo.objects)
        note_unheld_classes(class_names, used, losses)
        return list(tables)


def rows(photo: PhotoToWrite, file: str) -> Iterable[list[object]]:
    """The rows of a photo, one per object.

    file: the name of the photo
    """
    width, height = photo.size_fields.values() if photo.size_known else ("", "")
    for labeled in photo.objects:
        yield [file, width, height, labeled.class_name, *map(short_number, labeled.box)]
