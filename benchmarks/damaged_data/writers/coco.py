"""COCO JSON: a file per split, with boxes and polygons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from damaged_data.sample import Object, Photo, Place, Points, Sample
from damaged_data.text_files import Marks, number, write_json


class Coco:
    """annotations/instances_train.json, images/train/x.jpg."""

    NAME = "coco"

    def photo_file(self, photo: Photo) -> str:
        return f"images/{photo.split}/{photo.file_name}"

    def write(self, sample: Sample, folder: Path) -> dict[object, Place]:
        places: dict[object, Place] = {}
        categories = [(sample.index(name) + 1, name) for name in all_names(sample)]
        for number_of_split, split in enumerate(("train", "val", "test")):
            marks = Marks()
            images, annotations = [], []
            for index, photo in enumerate(sample.of_split(split)):
                height, width = photo.label_size
                image_id = 1000 * number_of_split + index + 1
                images.append(
                    marks(photo, id=image_id, file_name=photo.label_name, width=width, height=height)
                )
                for thing in photo.objects:
                    annotation_id = 10000 * number_of_split + len(annotations) + 1
                    annotations.append(_annotation(marks, thing, annotation_id, image_id, sample))
            document = {
                "images": images,
                "annotations": annotations,
                "categories": [marks(name, id=number, name=name) for number, name in categories],
            }
            places |= write_json(folder, f"annotations/instances_{split}.json", document, marks)
            for image, photo in zip(images, sample.of_split(split), strict=True):
                places[photo] = replace(places[photo], entry=f"(id {image['id']})")
        return places


def all_names(sample: Sample) -> list[str]:
    """The classes, and those that only objects name."""
    return list(dict.fromkeys([*sample.class_names, *(thing.name for thing in sample.objects)]))


def _annotation(
    marks: Marks, thing: Object, annotation_id: int, image_id: int, sample: Sample
) -> dict[str, object]:
    x1, y1, _, _ = thing.box
    return marks(
        thing,
        id=annotation_id,
        image_id=image_id,
        category_id=sample.index(thing.name) + 1,
        bbox=[number(value) for value in (x1, y1, thing.width, thing.height)],
        area=area_of(thing.outline),
        iscrowd=0,
        segmentation=[flat(part) for part in (thing.outline, *thing.holes)],
    )


def flat(points: Points) -> list[float]:
    return [number(value) for point in points for value in point]


def area_of(points: Points) -> float:
    """The area of a polygon (the shoelace formula)."""
    pairs = zip(points, [*points[1:], *points[:1]], strict=True)
    return round(abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2, 2)
