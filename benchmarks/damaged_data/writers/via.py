"""VGG Image Annotator, version 2: a JSON file per folder of photos, with regions as a list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from damaged_data.sample import Object, Photo, Place, Sample
from damaged_data.text_files import Marks, number, write_json


class Via:
    """train/x.jpg, train/via_region_data.json."""

    NAME = "via"

    def photo_file(self, photo: Photo) -> str:
        return f"{photo.split}/{photo.file_name}"

    def write(self, sample: Sample, folder: Path) -> dict[object, Place]:
        places: dict[object, Place] = {}
        for split in ("train", "val", "test"):
            marks = Marks()
            document = {
                f"{photo.label_name}{1000 + index}": marks(
                    photo,
                    filename=photo.label_name,
                    size=1000 + index,
                    regions=[_region(marks, thing) for thing in photo.objects],
                    file_attributes={},
                )
                for index, photo in enumerate(sample.of_split(split))
            }
            places |= write_json(folder, f"{split}/via_region_data.json", document, marks)
            for photo in sample.of_split(split):
                places[photo] = replace(places[photo], entry=f'"{photo.label_name}')
        return places


def _region(marks: Marks, thing: Object) -> dict[str, object]:
    return marks(thing, shape_attributes=_shape(thing), region_attributes={"class": thing.name})


def _shape(thing: Object) -> dict[str, object]:
    x1, y1, _, _ = thing.box
    if thing.shape == "box":
        values = {"x": x1, "y": y1, "width": thing.width, "height": thing.height}
        return {"name": "rect", **{key: number(value) for key, value in values.items()}}
    if thing.shape == "point":
        (x, y), *_ = thing.outline
        return {"name": "point", "cx": number(x), "cy": number(y)}
    return {
        "name": {"polygon": "polygon", "line": "polyline"}[thing.shape],
        "all_points_x": [number(x) for x, _ in thing.outline],
        "all_points_y": [number(y) for _, y in thing.outline],
    }
