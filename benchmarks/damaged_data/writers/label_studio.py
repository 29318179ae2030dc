"""Label Studio JSON: tasks with results in percent of the photo. It has no splits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from damaged_data.sample import Object, Photo, Place, Sample
from damaged_data.text_files import Marks, number, write_json

_TYPES = {"box": "rectanglelabels", "polygon": "polygonlabels", "point": "keypointlabels"}


class LabelStudio:
    """project-1.json, images/x.jpg."""

    NAME = "label-studio"

    def photo_file(self, photo: Photo) -> str:
        return f"images/{photo.file_name}"

    def write(self, sample: Sample, folder: Path) -> dict[object, Place]:
        marks = Marks()
        document = [
            marks(
                photo,
                id=index + 1,
                data={"image": f"/data/upload/1/{0xA0000000 + 7919 * index:08x}-{photo.label_name}"},
                annotations=[
                    {
                        "id": 100 + index,
                        "was_cancelled": False,
                        "result": [_result(marks, thing, photo) for thing in photo.objects],
                    }
                ],
            )
            for index, photo in enumerate(sample.photos)
        ]
        places = write_json(folder, "project-1.json", document, marks)
        for index, photo in enumerate(sample.photos):
            places[photo] = replace(places[photo], entry=f"[{index}]")
        return places


def _result(marks: Marks, thing: Object, photo: Photo) -> dict[str, object]:
    height, width = photo.label_size
    kind = _TYPES[thing.shape]
    return marks(
        thing,
        id=f"r{len(marks.parts):05d}",
        type=kind,
        from_name="label",
        to_name="image",
        original_width=width,
        original_height=height,
        image_rotation=0,
        value={**_value(thing, 100 / width, 100 / height), kind: [thing.name]},
    )


def _value(thing: Object, per_x: float, per_y: float) -> dict[str, object]:
    x1, y1, _, _ = thing.box
    if thing.shape == "polygon":
        points = [[number(x * per_x), number(y * per_y)] for x, y in thing.outline]
        return {"points": points, "closed": True}
    corner = {"x": number(x1 * per_x), "y": number(y1 * per_y)}
    if thing.shape == "point":
        return {**corner, "width": 0.5}
    return {
        **corner,
        "width": number(thing.width * per_x),
        "height": number(thing.height * per_y),
        "rotation": 0,
    }
