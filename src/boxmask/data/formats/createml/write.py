"""Write CreateML: a folder per split with its photos and one `_annotations.createml.json`, as Roboflow does.

Create ML wants the file in the folder of the photos. Photos in no split lie in `images/`. Each photo has a
line of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.json_writing import json_line
from boxmask.data.formats.losses import note_boxes_only, note_unheld_classes, note_unheld_marks
from boxmask.data.formats.numbers import center_and_extent

FILE = "_annotations.createml.json"


class CreatemlWriter:
    """See `boxmask.data.formats.contract.Writer`."""

    NAME = "createml"

    def photo_file(self, file: str, split: str) -> str:
        """A folder per split, and one for photos in no split."""
        return f"{split or 'images'}/{file}"

    def write(
        self, photos: Iterable[PhotoToWrite], class_names: ClassNames, folder: Path, losses: Losses
    ) -> list[Path]:
        """Write one file per split."""
        documents: dict[str, IO[str]] = {}
        used: set[str] = set()
        with ExitStack() as stack:
            for photo in photos:
                is_first = photo.split not in documents
                if is_first:
                    path = folder / self.photo_file(FILE, photo.split)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    file = path.open("x", encoding="utf-8", newline="\n")
                    documents[photo.split] = stack.enter_context(file)
                documents[photo.split].write(("[\n" if is_first else ",\n") + _entry(photo))
                note_boxes_only(photo, losses)
                note_unheld_marks(photo, losses)
                used.update(labeled.class_name for labeled in photo.objects)
            for document in documents.values():
                document.write("\n]\n")
        note_unheld_classes(class_names, used, losses)
        return [folder / self.photo_file(FILE, split) for split in documents]


def _entry(photo: PhotoToWrite) -> str:
    annotations = [
        {"label": labeled.class_name, "coordinates": _coordinates(labeled)} for labeled in photo.objects
    ]
    return json_line({"image": photo.file, "annotations": annotations})


def _coordinates(labeled: ObjectToWrite) -> dict[str, float]:
    x1, y1, x2, y2 = labeled.box
    (x, width), (y, height) = center_and_extent(x1, x2), center_and_extent(y1, y2)
    return {"x": x, "y": y, "width": width, "height": height}
