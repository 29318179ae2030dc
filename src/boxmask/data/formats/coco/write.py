"""Write COCO JSON: photos in `images/`, and one file per split, `annotations/instances_train.json` and so on.

Every list has one entry per line. Attributes are further fields of images, annotations and categories.
VOC's mark "difficult" becomes "ignore": 1, as in MMDetection.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import IO

from boxmask.data.formats.coco.segmentation import mask_area, segmentation
from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.json_writing import json_line, writable_fields
from boxmask.data.formats.numbers import extent, short_number
from boxmask.data.formats.photo_ids import PhotoIds

READ_OF_ANNOTATIONS = (
    "id",
    "image_id",
    "category_id",
    "bbox",
    "segmentation",
    "iscrowd",
    "area",
    "ignore",
)
_TAKEN = (*READ_OF_ANNOTATIONS, "score")
"""Annotations with a score are predictions for the programs that read COCO, boxmask included."""
READ_OF_IMAGES = ("id", "file_name", "height", "width")
"""Fields that are no attributes."""


class CocoWriter:
    """See `boxmask.data.formats.contract.Writer`."""

    NAME = "coco"

    def photo_file(self, file: str, split: str) -> str:
        """All photos lie in images/."""
        return f"images/{file}"

    def write(
        self, photos: Iterable[PhotoToWrite], class_names: ClassNames, folder: Path, losses: Losses
    ) -> list[Path]:
        """Write one file per split, and one for photos in no split."""
        (folder / "annotations").mkdir()
        documents: dict[str, _Document] = {}
        with ExitStack() as stack:
            for photo in photos:
                if photo.split not in documents:
                    document = _Document(folder / _file_name(photo.split), class_names)
                    documents[photo.split] = stack.enter_context(document.open())
                documents[photo.split].add(photo, self.photo_file(photo.file, photo.split), losses)
        return [document.path for document in documents.values()]


def _file_name(split: str) -> str:
    return f"annotations/instances_{split}.json" if split else "annotations/instances.json"


class _Document:
    """One file. Annotations are written as they come, the shorter list of images at the end."""

    def __init__(self, path: Path, class_names: ClassNames) -> None:
        self.path = path
        self._category_ids = {name: number for number, name in enumerate(class_names, start=1)}
        self._class_names = class_names
        self._images: list[str] = []
        self._image_ids = PhotoIds()
        self._annotation_ids = count(1)

    @contextmanager
    def open(self) -> Iterator[_Document]:
        """Write the beginning of the file, and its end when the block ends."""
        attributes = self._class_names.attributes
        categories = [
            json_line({**attributes.get(name, {}), "id": number, "name": name})
            for name, number in self._category_ids.items()
        ]
        with self.path.open("w", encoding="utf-8", newline="\n") as self._file:
            info = json_line({"description": "Converted by boxmask"})
            self._file.write(f'{{"info": {info},\n"categories": [\n')
            self._file.write(",\n".join(categories))
            self._file.write('\n],\n"annotations": [')
            yield self
            self._file.write('\n],\n"images": [\n')
            self._file.write(",\n".join(self._images))
            self._file.write("\n]}\n")

    _file: IO[str]

    def add(self, photo: PhotoToWrite, file_name: str, losses: Losses) -> None:
        """Add a photo and its objects."""
        image_id = self._image_ids.next_id(photo)
        image = {"id": image_id, "file_name": file_name, **photo.size_fields}
        others = writable_fields(photo.attributes, READ_OF_IMAGES, "photos", photo.file, losses)
        self._images.append(json_line(image | others))
        for labeled in photo.objects:
            number = next(self._annotation_ids)
            annotation = {
                "id": number if labeled.number is None else labeled.number,
                "image_id": image_id,
                "category_id": self._category_ids[labeled.class_name],
                **object_fields(labeled, photo, losses),
            }
            self._file.write(("," if number > 1 else "") + "\n" + json_line(annotation))


def object_fields(labeled: ObjectToWrite, photo: PhotoToWrite, losses: Losses) -> dict[str, object]:
    """What an annotation says about the object itself."""
    x1, y1, x2, y2 = labeled.box
    bbox = [short_number(value) for value in (x1, y1, extent(x1, x2), extent(y1, y2))]
    area = _area(labeled, photo)
    fields: dict[str, object] = {"bbox": bbox}
    if 0 < area < math.inf:  # not of a bad box
        fields["area"] = area
    fields["iscrowd"] = int(labeled.crowd)
    outline = segmentation(labeled, photo.size, losses, photo.file)
    if outline is not None:
        fields["segmentation"] = outline
    if labeled.difficult:
        fields["ignore"] = 1
    return fields | writable_fields(labeled.attributes, _TAKEN, "objects", photo.file, losses)


def _area(labeled: ObjectToWrite, photo: PhotoToWrite) -> int | float:
    """The area in the labels, else that of the mask, else that of the box."""
    declared = labeled.attributes.get("area")
    if isinstance(declared, int | float):
        return short_number(declared)
    pixels = mask_area(labeled, photo.size)
    x1, y1, x2, y2 = labeled.box
    return pixels or short_number((x2 - x1) * (y2 - y1))
