"""YOLO: a text file per photo with a line per object, in fractions of the photo."""

from __future__ import annotations

import json
from pathlib import Path

from damaged_data.sample import Object, Photo, Place, Sample
from damaged_data.text_files import Lines
from damaged_data.writers.coco import all_names


class Yolo:
    """data.yaml, images/train/x.jpg, labels/train/x.txt."""

    NAME = "yolo"

    def photo_file(self, photo: Photo) -> str:
        return f"images/{photo.split}/{photo.file_name}"

    def write(self, sample: Sample, folder: Path) -> dict[object, Place]:
        names = [sample.class_names[sample.index(name)] for name in all_names(sample)]
        settings = Lines("data.yaml")
        for split in ("train", "val", "test"):
            settings.add(f"{split}: images/{split}")
        settings.add(f"nc: {len(names)}")
        settings.add("names:")
        for index, name in enumerate(names):
            settings.add(f"  {index}: {json.dumps(name, ensure_ascii=False)}", name)
        places = settings.write(folder)
        for photo in sample.photos:
            lines = Lines(f"labels/{photo.split}/{photo.stem}.txt")
            for thing in photo.objects:
                lines.add(_line(thing, photo, sample), thing)
            places |= lines.write(folder)
            places[photo] = Place(lines.file)
        return places


def _line(thing: Object, photo: Photo, sample: Sample) -> str:
    (x1, y1, x2, y2), (height, width) = thing.box, photo.label_size
    values = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
    if thing.shape == "polygon":
        values = tuple(value for x, y in thing.outline for value in (x / width, y / height))
    return " ".join([str(sample.index(thing.name)), *(f"{value:.8g}" for value in values)])
