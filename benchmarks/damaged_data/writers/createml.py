"""CreateML JSON: a list of photos, each box by its center."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from damaged_data.sample import Object, Photo, Place, Sample
from damaged_data.text_files import Marks, number, write_json


class CreateMl:
    """train/x.jpg, train/_annotations.createml.json."""

    NAME = "createml"

    def photo_file(self, photo: Photo) -> str:
        return f"{photo.split}/{photo.file_name}"

    def write(self, sample: Sample, folder: Path) -> dict[object, Place]:
        places: dict[object, Place] = {}
        for split in ("train", "val", "test"):
            marks = Marks()
            document = [
                marks(
                    photo,
                    image=photo.label_name,
                    annotations=[_annotation(marks, thing) for thing in photo.objects],
                )
                for photo in sample.of_split(split)
            ]
            places |= write_json(folder, f"{split}/_annotations.createml.json", document, marks)
            for index, photo in enumerate(sample.of_split(split)):
                places[photo] = replace(places[photo], entry=f"[{index}]")
        return places


def _annotation(marks: Marks, thing: Object) -> dict[str, object]:
    x1, y1, x2, y2 = thing.box
    values = {"x": (x1 + x2) / 2, "y": (y1 + y2) / 2, "width": x2 - x1, "height": y2 - y1}
    return marks(thing, label=thing.name, coordinates={key: number(value) for key, value in values.items()})
