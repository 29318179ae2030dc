"""Correct the shapes of a LabelMe file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

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
from boxmask.data.formats.labelme.document import labelme_shape
from boxmask.data.formats.labelme.shapes import MaskText, parse_shape
from boxmask.data.formats.labelme.shapes import Shape as LabelmeShape
from boxmask.data.formats.numbers import short_number
from boxmask.data.outlines import Outline, Polygons, RunLengths
from boxmask.errors import LabelError
from boxmask.names import class_name


@dataclass(frozen=True)
class LabelmeLabels:
    """See `PhotoLabels`."""

    text: LabelText

    @cached_property
    def _shapes(self) -> JsonList:
        fields = read_object(self.text.data, self.text.path)
        if "shapes" not in fields:
            raise LabelError.in_file(self.text.path, 'expected a list "shapes", as LabelMe writes it.')
        return find_list(self.text.data, fields["shapes"], self.text.path)

    @cached_property
    def _parsed(self) -> list[tuple[list[int], LabelmeShape]]:
        """The objects: the indices of their shapes, and the first shape.

        Shapes of one class and one group id are one object, as in `read_labelme_file`.
        """
        found: list[tuple[list[int], LabelmeShape]] = []
        by_group: dict[tuple[str, int], list[int]] = {}
        for index, item in enumerate(self._shapes.items):
            try:
                shape = parse_shape(decode_item(item))
            except ValueError:  # a finding of the doctor
                continue
            key = None if shape.group is None else (class_name(shape.label), shape.group)
            if key is not None and key in by_group:
                by_group[key].append(index)
                continue
            indices = [index]
            found.append((indices, shape))
            if key is not None:
                by_group[key] = indices
        return found

    @cached_property
    def objects(self) -> Sequence[FileObject]:
        """The shapes that can be read."""
        return [_file_object(indices, shape) for indices, shape in self._parsed]

    def corrected(self, wanted_objects: Sequence[WantedObject]) -> bytes:
        """See `PhotoLabels.corrected`."""
        items: list[bytes | None] = list(self._shapes.items)
        wanted_of = {wanted.number: wanted for wanted in wanted_objects if wanted.number is not None}
        for number, (indices, _) in enumerate(self._parsed):
            wanted, old = wanted_of.get(number), self.objects[number]
            for index in indices:
                items[index] = None if wanted is None else _changed(self._shapes.items[index], old, wanted)
        style = style_of(self._shapes.items[-1]) if self._shapes.items else Style()
        added = [style.write(_new(wanted)) for wanted in wanted_objects if wanted.number is None]
        rebuilt = self._shapes.rebuilt(items, added)
        data = self.text.data
        return self.text.encode(data[: self._shapes.start] + rebuilt + data[self._shapes.end :])


def _file_object(indices: Sequence[int], shape: LabelmeShape) -> FileObject:
    name, outline = class_name(shape.label), shape.outline
    if len(indices) > 1 or isinstance(outline, MaskText | RunLengths):
        return FileObject(name, None, None)
    read = _as_outline(outline)
    box: Box | None = shape.box
    if read is not None and not isinstance(read, RunLengths):
        x1, y1, x2, y2 = read.bounds().tolist()
        box = (x1, y1, x2, y2)
    return FileObject(name, box, shape_of(box, read) if box is not None else None)


def _as_outline(outline: Outline | Sequence[float] | None) -> Outline | None:
    if outline is None or not isinstance(outline, Sequence):
        return outline
    return Polygons((np.array(outline, dtype=np.float64).reshape(-1, 2),))


def _changed(item: bytes, old: FileObject, wanted: WantedObject) -> bytes:
    fields: dict[str, object] = {}
    if wanted.class_name != old.class_name:
        fields["label"] = wanted.class_name
    if wanted.shape is not None and wanted.shape != old.shape:
        entry = decode_item(item)
        assert isinstance(entry, dict)  # it was parsed
        fields["points"] = _points(wanted.shape, len(entry["points"]))
    return with_fields(item, fields) if fields else item


def _new(wanted: WantedObject) -> dict[str, object]:
    assert wanted.shape is not None
    kind = "rectangle" if wanted.shape.kind == "box" else "polygon"
    return labelme_shape(wanted.class_name, kind, _points(wanted.shape))


def _points(shape: Shape, num_points: int = 2) -> list[list[float]]:
    """The points to write. num_points: of a rectangle: two opposite corners, or four as X-AnyLabeling"""
    if shape.kind == "polygon":
        return [[short_number(x), short_number(y)] for x, y in shape.points]
    x1, y1, x2, y2 = map(short_number, shape.bounds)
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]] if num_points == 4 else [[x1, y1], [x2, y2]]
