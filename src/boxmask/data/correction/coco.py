"""Correct the annotations of one image in a COCO file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from boxmask.data.correction.json_parts import (
    JsonList,
    Style,
    decode_item,
    find_list,
    read_object,
    style_of,
    with_fields,
)
from boxmask.data.correction.label_text import LabelText
from boxmask.data.correction.objects import FileObject, Shape, WantedObject, shape_of
from boxmask.data.findings import Box
from boxmask.data.formats.coco.outlines import is_empty, parse_segmentation
from boxmask.data.formats.coco.values import parse_annotation, parse_category, parse_image
from boxmask.data.formats.coco.write import object_fields
from boxmask.data.formats.contract import Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.outlines import Outline, RunLengths
from boxmask.errors import LabelError
from boxmask.masks import Size
from boxmask.names import class_name


class _Head(msgspec.Struct):
    """The ids of an annotation."""

    image_id: object = None
    id: object = None


_HEAD = msgspec.json.Decoder(_Head)
_NO_HEAD = _Head()


def _head(item: bytes) -> _Head:
    """The ids of an annotation; none for one that is no object."""
    try:
        return _HEAD.decode(item)
    except (msgspec.MsgspecError, RecursionError):  # a finding of the doctor
        return _NO_HEAD


@dataclass(frozen=True)
class CocoLabels:
    """See `PhotoLabels`.

    size:  (height, width) of the photo as shown
    image: the index of the photo among the images of the file
    """

    text: LabelText
    size: Size
    image: int

    @cached_property
    def _lists(self) -> Mapping[str, JsonList]:
        data, path = self.text.data, self.text.path
        fields = read_object(data, path)
        missing = [name for name in ("images", "annotations", "categories") if name not in fields]
        if missing:
            raise LabelError.in_file(path, f"has no list {missing[0]!r}.")
        return {name: find_list(data, fields[name], path) for name in ("images", "annotations", "categories")}

    @cached_property
    def _image_id(self) -> object:
        images = self._lists["images"].items
        if self.image >= len(images):
            raise LabelError.in_file(self.text.path, "holds fewer images than when it was read.")
        image = decode_item(images[self.image])
        if parse_image(image) is not None or not isinstance(image, dict):
            raise LabelError.in_file(
                self.text.path, f"images[{self.image}] cannot be read. Correct it first."
            )
        return image["id"]

    @cached_property
    def _entries(self) -> list[tuple[int, dict[str, Any]]]:
        """The annotations of the photo that can be read, with their index."""
        found = []
        for index, item in enumerate(self._lists["annotations"].items):
            if _head(item).image_id == self._image_id:
                entry = decode_item(item)
                if parse_annotation(entry) is not None or not isinstance(entry, dict):
                    continue  # a finding of the doctor
                if entry["category_id"] in self._names:
                    found.append((index, entry))
        return found

    @cached_property
    def _names(self) -> dict[object, str]:
        """The class names by the id of their category."""
        entries = [decode_item(item) for item in self._lists["categories"].items]
        readable = [each for each in entries if parse_category(each) is None and isinstance(each, dict)]
        return {entry["id"]: class_name(entry["name"]) for entry in reversed(readable)}

    @cached_property
    def objects(self) -> Sequence[FileObject]:
        """The annotations of the photo."""
        return [_file_object(self._names[entry["category_id"]], entry) for _, entry in self._entries]

    def corrected(self, wanted_objects: Sequence[WantedObject]) -> bytes:
        """See `PhotoLabels.corrected`."""
        annotations = self._lists["annotations"]
        items: list[bytes | None] = list(annotations.items)
        wanted_of = {wanted.number: wanted for wanted in wanted_objects if wanted.number is not None}
        for number, (index, entry) in enumerate(self._entries):
            wanted = wanted_of.get(number)
            if wanted is None:
                items[index] = None
            elif fields := self._fields(entry, self.objects[number], wanted):
                items[index] = with_fields(annotations.items[index], fields)
        added = self._added([wanted for wanted in wanted_objects if wanted.number is None])
        rebuilt = annotations.rebuilt(items, added)
        data = self.text.data
        return self.text.encode(data[: annotations.start] + rebuilt + data[annotations.end :])

    def _fields(
        self, entry: Mapping[str, object], old: FileObject, wanted: WantedObject
    ) -> dict[str, object]:
        """The values of an annotation that change."""
        fields: dict[str, object] = {}
        if wanted.class_name != old.class_name:
            fields["category_id"] = self._category(wanted.class_name)
        if wanted.shape is not None and wanted.shape != old.shape:
            written = self._shape_fields(wanted.class_name, wanted.shape)
            always = ("bbox", "segmentation") if wanted.shape.kind == "polygon" else ("bbox",)
            fields |= {key: value for key, value in written.items() if key in always or key in entry}
            fields.pop("iscrowd", None)
        return fields

    def _shape_fields(self, name: str, shape: Shape) -> dict[str, object]:
        labeled = ObjectToWrite(name, shape.bounds, shape.outline)
        return object_fields(labeled, PhotoToWrite(Path(), "", self.size, "", (labeled,)), Losses())

    def _added(self, wanted_objects: Sequence[WantedObject]) -> list[bytes]:
        """New annotations, in the style of the last one."""
        if not wanted_objects:
            return []
        items = self._lists["annotations"].items
        last = decode_item(items[-1]) if items else None
        style = style_of(items[-1]) if items else Style()
        ids = [_head(item).id for item in items]
        first = max([known for known in ids if isinstance(known, int)], default=0) + 1
        added = []
        for number, wanted in enumerate(wanted_objects, start=first):
            assert wanted.shape is not None
            fields = self._shape_fields(wanted.class_name, wanted.shape)
            empty: dict[str, object] = (
                {"segmentation": []} if isinstance(last, dict) and "segmentation" in last else {}
            )
            heads = {
                "id": number,
                "image_id": self._image_id,
                "category_id": self._category(wanted.class_name),
            }
            added.append(style.write(heads | empty | fields))
        return added

    def _category(self, name: str) -> object:
        for known, known_name in self._names.items():
            if known_name == name:
                return known
        raise LabelError.in_file(
            self.text.path,
            f"has no category {name}. Add it to its categories first, then read the data again.",
        )


def _file_object(name: str, entry: Mapping[str, Any]) -> FileObject:
    outline: Outline | None = None
    if not is_empty(entry.get("segmentation")):
        try:
            outline, _ = parse_segmentation(entry["segmentation"])
        except ValueError:  # a finding of the doctor
            return FileObject(name, _box(entry), None)
    box = _box(entry)
    if box is None and outline is not None and not isinstance(outline, RunLengths):
        x1, y1, x2, y2 = outline.bounds().tolist()
        box = (x1, y1, x2, y2)
    return FileObject(name, box, shape_of(box, outline))


def _box(entry: Mapping[str, Any]) -> Box | None:
    if not entry.get("bbox"):
        return None
    x, y, width, height = entry["bbox"]
    return x, y, x + width, y + height
