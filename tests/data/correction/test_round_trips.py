"""Corrections of label files: what was wanted is there, and every other byte is as it was."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxmask.data.correction.correct import PhotoPlace, correct, open_labels
from boxmask.data.correction.label_text import LabelText
from boxmask.data.correction.objects import PhotoLabels, Shape, WantedObject
from boxmask.data.formats import coco, labelme, voc, yolo
from boxmask.errors import LabelError

NAMES = ("cat", "dog", "öl & <wasser>")
SIZE = (60, 80)


def text_of(content: str, name: str = "a.txt") -> LabelText:
    return LabelText(Path(name), content.encode())


def yolo_file(rows: list[str], end: str = "\n") -> LabelText:
    return text_of(end.join(rows) + (end if rows else ""))


YOLO_ROWS = ["0 0.5 0.5 0.250 0.2", "1  0.10 0.1 0.4 0.1 0.25 0.5", "7 0.5 0.5 0.1 0.1", "2 .5 .25 .5 .125"]
YOLO = PhotoPlace(yolo, Path("a.txt"), SIZE, numbers={name: n for n, name in enumerate(NAMES)})

VOC_TEXT = """<?xml version="1.0" encoding="utf-8"?>
<!-- a > comment -->
<annotation verified="yes">
  <filename>a.jpg</filename>
  <path foo='a>b'>/x</path>
  <object>
    <name>cat</name><pose>Left</pose>
    <bndbox><xmax>40</xmax><xmin>11</xmin><ymin>6</ymin><ymax>30</ymax></bndbox>
    <part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>
  </object>
  <object><name/></object>
  <object>
    <name>\u00f6l &amp; &lt;wasser&gt;</name>
    <bndbox><xmin>1</xmin><ymin>1</ymin><xmax>80</xmax><ymax>60</ymax></bndbox>
  </object>
  <!-- the end -->
</annotation>
"""
VOC = PhotoPlace(voc, Path("a.xml"), SIZE)


def labelme_text(indent: int | None) -> LabelText:
    shapes = [
        {"label": "cat", "points": [[10, 5], [40.5, 30]], "group_id": None, "shape_type": "rectangle"},
        {
            "label": "dog",
            "points": [[1, 1], [20, 3], [9.25, 30]],
            "shape_type": "polygon",
            "flags": {"a": True},
        },
        {"label": "dog", "points": [[1, 1]], "shape_type": "point"},
        {"label": "cat", "points": [[1, 1], [2, 3], [9, 3]], "group_id": 3, "shape_type": "polygon"},
        {"label": "cat", "points": [[5, 5], [6, 9], [9, 9]], "group_id": 3, "shape_type": "polygon"},
    ]
    document = {
        "version": "5.5.0",
        "extra": [1.50, {}],
        "shapes": shapes,
        "imagePath": "a.jpg",
        "imageData": None,
    }
    return text_of(json.dumps(document, indent=indent, ensure_ascii=False), "a.json")


LABELME = PhotoPlace(labelme, Path("a.json"), SIZE)


def coco_text(indent: int | None) -> LabelText:
    annotations = [
        {"id": 4, "image_id": 1, "category_id": 9, "bbox": [1.0, 2.00, 3, 4], "score2": 1e-7},
        {
            "id": 5,
            "image_id": 2,
            "category_id": 1,
            "bbox": [10, 5, 30, 25],
            "area": 750,
            "iscrowd": 0,
            "x": [1, 2],
        },
        {
            "id": 6,
            "image_id": 2,
            "category_id": 9,
            "bbox": [1, 1, 19, 29],
            "segmentation": [[1, 1, 20, 3, 9, 30]],
            "area": 260,
        },
        {"id": 7, "image_id": 2, "category_id": 77, "bbox": [1, 1, 2, 2]},
        {
            "id": 8,
            "image_id": 2,
            "category_id": 9,
            "bbox": [2, 2, 8, 8],
            "segmentation": [[2, 2, 4, 2, 4, 4]] * 2,
        },
    ]
    document = {
        "info": {"a": [1.0, "\u00e9"]},
        "images": [{"id": 1, "file_name": "b.jpg"}, {"id": 2, "file_name": "a.jpg"}],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "cat"}, {"id": 9, "name": "dog"}, {"id": 3, "name": NAMES[2]}],
    }
    return text_of(json.dumps(document, indent=indent, ensure_ascii=False), "a.json")


COCO = PhotoPlace(coco, Path("a.json"), SIZE, image=1)

FILES = {
    "yolo": (YOLO, yolo_file(YOLO_ROWS)),
    "yolo, windows": (YOLO, yolo_file(YOLO_ROWS, "\r\n")),
    "yolo, empty": (YOLO, yolo_file([])),
    "voc": (VOC, text_of(VOC_TEXT, "a.xml")),
    "voc, windows": (VOC, text_of(VOC_TEXT.replace("\n", "\r\n"), "a.xml")),
    "voc, one line": (VOC, text_of(re.sub(r"\n\s*", "", VOC_TEXT), "a.xml")),
    "labelme": (LABELME, labelme_text(2)),
    "labelme, one line": (LABELME, labelme_text(None)),
    "coco": (COCO, coco_text(4)),
    "coco, one line": (COCO, coco_text(None)),
}

sides = st.tuples(st.floats(0, 30), st.floats(0, 20), st.floats(2, 50), st.floats(2, 40))


@st.composite
def shapes(draw: st.DrawFn, kinds: tuple[str, ...] = ("box", "polygon")) -> Shape:
    x, y, width, height = (round(value, 2) for value in draw(sides))
    if draw(st.sampled_from(kinds)) == "box":
        return Shape("box", ((x, y), (x + width, y + height)))
    return Shape("polygon", ((x, y), (x + width, y), (x + width / 2, y + height)))


@st.composite
def corrections(draw: st.DrawFn) -> tuple[PhotoPlace, LabelText, PhotoLabels, list[WantedObject]]:
    place, text = FILES[draw(st.sampled_from(sorted(FILES)))]
    labels = open_labels(place, text)
    kinds = ("box",) if place is VOC else ("box", "polygon")
    wanted_objects = []
    for number, old in enumerate(labels.objects):
        action = draw(st.sampled_from(("keep", "remove", "rename", "move")))
        if action == "remove":
            continue
        name = draw(st.sampled_from(NAMES)) if action == "rename" and old.shape else old.class_name
        shape = draw(shapes((old.shape.kind,))) if action == "move" and old.shape else None
        wanted_objects.append(WantedObject(number, name, shape))
    added = draw(st.lists(st.tuples(st.sampled_from(NAMES), shapes(kinds)), max_size=3))
    return place, text, labels, [*wanted_objects, *(WantedObject(None, name, shape) for name, shape in added)]


@given(corrections())
def test_what_was_wanted_is_there(
    correction: tuple[PhotoPlace, LabelText, PhotoLabels, list[WantedObject]],
) -> None:
    place, text, labels, wanted_objects = correction
    content = correct(place, labels, text, wanted_objects).content
    again = open_labels(place, LabelText(place.file, content))
    assert [each.class_name for each in again.objects] == [wanted.class_name for wanted in wanted_objects]


@pytest.mark.parametrize("name", FILES)
def test_nothing_wanted_changes_no_byte(name: str) -> None:
    place, text = FILES[name]
    labels = open_labels(place, text)
    wanted_objects = [
        WantedObject(number, old.class_name, old.shape) for number, old in enumerate(labels.objects)
    ]
    assert correct(place, labels, text, wanted_objects).content == text.data


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_adding_and_removing_again_gives_the_same_file(name: str, data: st.DataObject) -> None:
    place, text = FILES[name]
    labels = open_labels(place, text)
    kept = [WantedObject(number, old.class_name) for number, old in enumerate(labels.objects)]
    shape = data.draw(shapes(("box",)))
    more = LabelText(
        place.file, correct(place, labels, text, [*kept, WantedObject(None, "cat", shape)]).content
    )
    again = open_labels(place, more)
    assert correct(place, again, more, kept).content == text.data


def test_one_object_changes_and_every_other_line_stays() -> None:
    for name, number in (("yolo", 1), ("voc", 0), ("labelme", 0), ("coco", 0)):
        place, text = FILES[name]
        labels = open_labels(place, text)
        wanted_objects = [
            WantedObject(n, "dog" if n == number else old.class_name) for n, old in enumerate(labels.objects)
        ]
        lines = correct(place, labels, text, wanted_objects).content.decode().split("\n")
        before = text.data.decode().split("\n")
        changed = [index for index, line in enumerate(lines) if line != before[index]]
        assert len(lines) == len(before)
        assert len(changed) == (0 if labels.objects[number].class_name == "dog" else 1)


def test_voc_keeps_whole_numbers_and_refuses_polygons() -> None:
    place, text = FILES["voc"]
    labels = open_labels(place, text)
    moved = [WantedObject(0, "cat", Shape("box", ((3.4, 4.6), (20.2, 30.5)))), WantedObject(1, NAMES[2])]
    content = correct(place, labels, text, moved).content.decode()
    assert "<xmax>20</xmax><xmin>4</xmin><ymin>6</ymin><ymax>30</ymax>" in content
    assert "<part><name>head</name><bndbox><xmin>1</xmin>" in content
    polygon = Shape("polygon", ((1, 1), (5, 1), (3, 9)))
    with pytest.raises(LabelError, match=r"a\.xml: Pascal VOC holds boxes only"):
        correct(place, labels, text, [WantedObject(None, "cat", polygon)])


def test_coco_computes_what_follows_from_the_outline() -> None:
    place, text = FILES["coco"]
    labels = open_labels(place, text)
    ring = Shape("polygon", ((10, 10), (20, 10), (20, 30), (10, 30)))
    wanted_objects = [WantedObject(0, "cat"), WantedObject(1, "dog", ring), WantedObject(2, "dog")]
    document = json.loads(correct(place, labels, text, wanted_objects).content)
    assert document["annotations"][2] == {
        "id": 6,
        "image_id": 2,
        "category_id": 9,
        "bbox": [10, 10, 10, 20],
        "segmentation": [[10, 10, 20, 10, 20, 30, 10, 30]],
        "area": 200,
    }


def test_unknown_classes_are_refused() -> None:
    for name in ("yolo", "coco"):
        place, text = FILES[name]
        labels = open_labels(place, text)
        with pytest.raises(LabelError, match="cow"):
            correct(place, labels, text, [WantedObject(None, "cow", Shape("box", ((1, 1), (5, 5))))])


def test_a_class_that_joins_two_objects_is_refused() -> None:
    place, text = FILES["labelme"]
    document = json.loads(text.data)
    document["shapes"][0]["group_id"] = 3
    document["shapes"][0]["label"] = "dog"
    grouped = LabelText(place.file, json.dumps(document).encode())
    labels = open_labels(place, grouped)
    wanted_objects = [WantedObject(number, "cat") for number in range(len(labels.objects))]
    with pytest.raises(LabelError, match="would hold 2 objects of this photo instead of 3"):
        correct(place, labels, grouped, wanted_objects)
