"""Write Label Studio: `tasks.json` to import, `labeling-config.xml` for the project, and photos in `images/`.

Label Studio finds the photos as local files, with the folder as LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT. Every
task has one line. The split of a photo and its attributes are fields of the task's data. Attributes of
objects, and the marks iscrowd and difficult, are answers to questions about regions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.json_writing import json_line, writable_fields
from boxmask.data.formats.label_studio.brush import encode_brush
from boxmask.data.formats.label_studio.config import CONFIG_FILE, CONTROLS, labeling_config
from boxmask.data.formats.losses import note_unheld_classes
from boxmask.data.formats.numbers import short_number
from boxmask.data.formats.outline_losses import needs_pixels, note_other_box, pixels_of
from boxmask.data.formats.photo_ids import PhotoIds
from boxmask.data.formats.xml_writing import is_xml_text
from boxmask.data.outlines import Ellipse, Outline, Polygons, RotatedBox
from boxmask.masks import Size

TASKS_FILE = "tasks.json"

_AS_BRUSH = "outlines with holes or several parts are written as brush masks, without their points"
_QUESTIONS = {bool: "Choices", str: "TextArea", int: "Number", float: "Number"}


class LabelStudioWriter:
    """See `boxmask.data.formats.contract.Writer`."""

    NAME = "label-studio"

    def photo_file(self, file: str, split: str) -> str:
        """All photos lie in images/."""
        return f"images/{file}"

    def write(
        self, photos: Iterable[PhotoToWrite], class_names: ClassNames, folder: Path, losses: Losses
    ) -> list[Path]:
        """Write the tasks and the labeling config."""
        tasks, config = folder / TASKS_FILE, folder / CONFIG_FILE
        questions: dict[str, str] = {}
        task_ids = PhotoIds()
        with tasks.open("w", encoding="utf-8", newline="\n") as file:
            for number, photo in enumerate(photos):
                reference = f"/data/local-files/?d={quote(self.photo_file(photo.file, photo.split))}"
                file.write(",\n" if number else "[\n")
                file.write(json_line(_task(task_ids.next_id(photo), photo, reference, questions, losses)))
            file.write("\n]\n")
        note_unheld_classes(class_names, class_names, losses)
        config.write_text(labeling_config(class_names, questions, CONTROLS), encoding="utf-8")
        return [tasks, config]


def _task(
    task_id: int, photo: PhotoToWrite, reference: str, questions: dict[str, str], losses: Losses
) -> dict[str, Any]:
    data: dict[str, object] = {"image": reference}
    if photo.split:
        data["split"] = photo.split
    data |= writable_fields(photo.attributes, ("image", "split"), "photos", photo.file, losses)
    names = (f"{task_id}-{index}" for index in count(1))
    results = [
        result
        for labeled, region_id in zip(photo.objects, names, strict=False)
        for result in _results(labeled, photo, region_id, questions, losses)
    ]
    return {"id": task_id, "data": data, "annotations": [{"result": results}]}


def _results(
    labeled: ObjectToWrite, photo: PhotoToWrite, region_id: str, questions: dict[str, str], losses: Losses
) -> Iterator[dict[str, Any]]:
    """The entries of one object: its shape, then its attributes."""
    shape, value = shape_of(labeled, photo, losses)
    sizes = {f"original_{side}": length for side, length in photo.size_fields.items()}
    common = {"id": region_id, "to_name": "image", **sizes, "image_rotation": 0}
    kind = f"{shape}labels"
    region = common | {"from_name": shape, "type": kind, "value": value | {kind: [labeled.class_name]}}
    attributes = labeled.attributes_and_marks
    description = attributes.get("description")
    if isinstance(description, str) and description and not _is_mark(description):
        region["meta"] = {"text": [attributes.pop("description")]}
    yield region
    for name, answer in attributes.items():
        tag = _question(name, answer, questions)
        if tag is None:
            losses.add_attribute(name, "objects", photo.file)
            continue
        questions[name] = tag
        field = {"Choices": "choices", "TextArea": "text", "Number": "number"}[tag]
        given = answer if tag == "Number" else ["true" if answer is True else answer]
        yield common | {"from_name": name, "type": field.replace("text", "textarea"), "value": {field: given}}


def _question(name: str, answer: object, questions: dict[str, str]) -> str | None:
    """The kind of question that an attribute answers; None for an answer that would be read differently."""
    tag = _QUESTIONS.get(type(answer))
    is_text = isinstance(answer, str) and bool(answer) and not _is_mark(answer)
    is_number = isinstance(answer, int | float) and not isinstance(answer, bool) and math.isfinite(answer)
    is_reserved = name in (*CONTROLS, "image", "area")  # the area is computed from the outline
    if is_reserved or not name or not is_xml_text(name) or questions.get(name, tag) != tag:
        return None
    return tag if answer is True or is_text or is_number else None


def _is_mark(text: str) -> bool:
    return text in ("true", "false")


# ---------------------------------------------------------------- shapes


def shape_of(labeled: ObjectToWrite, photo: PhotoToWrite, losses: Losses) -> tuple[str, dict[str, Any]]:
    """The control of an object, and its shape in percent."""
    height, width = photo.size
    across, down = 100 / width, 100 / height
    outline = labeled.outline
    masks = None
    if outline is not None and needs_pixels(outline, holds_parts=False):
        masks = pixels_of(outline, photo.size, losses, photo.file, _AS_BRUSH)
    note_other_box(labeled, photo.size, losses, photo.file, masks)
    if masks is not None:
        return "brush", {"format": "rle", "rle": encode_brush(masks.dense()[0])}
    if isinstance(outline, Polygons) and not needs_pixels(outline, holds_parts=False):
        points = outline.parts[0] * 100 / (width, height)
        return "polygon", {
            "points": [[short_number(x), short_number(y)] for x, y in points.tolist()],
            "closed": True,
        }
    if isinstance(outline, Ellipse):
        (x, y), (rx, ry) = outline.center, outline.radii
        values = {"x": x * across, "y": y * down, "radiusX": rx * across, "radiusY": ry * down}
        return "ellipse", _short(values | {"rotation": outline.rotation})
    return "rectangle", _short(_rectangle(labeled, outline, photo.size))


def _rectangle(labeled: ObjectToWrite, outline: Outline | None, size: Size) -> dict[str, float]:
    """Corner, sides and rotation. The corner is that of the rotated box."""
    (x1, y1, x2, y2), (height, width), rotation = labeled.box, size, 0.0
    sides = (x2 - x1, y2 - y1)
    if isinstance(outline, RotatedBox):
        sides, rotation = outline.size, outline.rotation
        x1, y1 = outline.polygons().parts[0][0].tolist()
    return {
        "x": x1 * 100 / width,
        "y": y1 * 100 / height,
        "width": sides[0] * 100 / width,
        "height": sides[1] * 100 / height,
        "rotation": rotation,
    }


def _short(values: dict[str, float]) -> dict[str, Any]:
    return {name: short_number(value) for name, value in values.items()}
