"""LabelMe: a JSON file beside each photo."""

from __future__ import annotations

from pathlib import Path

from damaged_data.sample import Object, Photo, Place, Sample
from damaged_data.text_files import Marks, number, write_json

_SHAPES = {"box": "rectangle", "polygon": "polygon", "point": "point", "line": "line"}


class LabelMe:
    """train/x.jpg, train/x.json."""

    NAME = "labelme"

    def photo_file(self, photo: Photo) -> str:
        return f"{photo.split}/{photo.file_name}"

    def write(self, sample: Sample, folder: Path) -> dict[object, Place]:
        places: dict[object, Place] = {}
        for photo in sample.photos:
            marks = Marks()
            height, width = photo.label_size
            document = {
                "version": "5.5.0",
                "flags": {},
                "shapes": [_shape(marks, thing) for thing in photo.objects],
                "imagePath": photo.label_name,
                "imageData": None,
                "imageHeight": height,
                "imageWidth": width,
            }
            file = f"{photo.split}/{photo.stem}.json"
            places |= write_json(folder, file, document, marks)
            places[photo] = Place(file)
        return places


def _shape(marks: Marks, thing: Object) -> dict[str, object]:
    x1, y1, x2, y2 = thing.box
    points = [(x1, y1), (x2, y2)] if thing.shape == "box" else thing.outline
    return marks(
        thing,
        label=thing.name,
        points=[[number(x), number(y)] for x, y in points],
        group_id=None,
        description="",
        shape_type=_SHAPES[thing.shape],
        flags={},
    )
