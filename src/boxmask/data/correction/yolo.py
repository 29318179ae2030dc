"""Correct the lines of a YOLO label file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from boxmask.data.correction.label_text import LabelText
from boxmask.data.correction.objects import FileObject, Shape, WantedObject, shape_of
from boxmask.data.findings import Box
from boxmask.data.formats.contract import Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.yolo.lines import LabelLines
from boxmask.data.formats.yolo.write import object_line
from boxmask.data.outlines import Polygons
from boxmask.errors import LabelError
from boxmask.masks import Size


@dataclass(frozen=True)
class YoloLabels:
    """See `PhotoLabels`.

    size:      (height, width) of the photo as shown
    numbers:   of the classes, by name
    keypoints: numbers per line beyond the box
    """

    text: LabelText
    size: Size
    numbers: Mapping[str, int]
    keypoints: int = 0

    @cached_property
    def _lines(self) -> LabelLines:
        lines = LabelLines(self.keypoints)
        for _ in lines.add_lines(self.text.data, 0):  # those that cannot be read are findings of the doctor
            pass
        return lines

    @cached_property
    def _named(self) -> list[int]:
        """The entries of `_lines` whose class has a name."""
        known = set(self.numbers.values())
        return [entry for entry, number in enumerate(self._lines.classes) if number in known]

    @cached_property
    def objects(self) -> Sequence[FileObject]:
        """The objects whose class has a name."""
        return [self._object(entry) for entry in self._named]

    def _object(self, entry: int) -> FileObject:
        lines = self._lines
        names = {number: name for name, number in reversed(list(self.numbers.items()))}
        edges = np.array(self.size[::-1], dtype=np.float64)
        start, end = lines.ends[entry - 1] if entry else 0, lines.ends[entry]
        if end > start:
            ring = Polygons((np.array(lines.points[start:end]).reshape(-1, 2) * edges,))
            x1, y1, x2, y2 = ring.bounds().tolist()
            return FileObject(names[lines.classes[entry]], (x1, y1, x2, y2), shape_of(None, ring))
        x, y, width, height = lines.boxes[4 * entry : 4 * entry + 4]
        corners = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
        x1, y1, x2, y2 = (corners * np.tile(edges, 2)).tolist()
        box: Box = (x1, y1, x2, y2)
        return FileObject(names[lines.classes[entry]], box, None if self.keypoints else shape_of(box, None))

    def corrected(self, wanted_objects: Sequence[WantedObject]) -> bytes:
        """See `PhotoLabels.corrected`."""
        lines = self.text.data.splitlines(keepends=True)
        line_of = [self._lines.lines[entry] - 1 for entry in self._named]
        wanted_of = {wanted.number: wanted for wanted in wanted_objects if wanted.number is not None}
        for number, index in enumerate(line_of):
            wanted = wanted_of.get(number)
            lines[index] = b"" if wanted is None else self._line(lines[index], self.objects[number], wanted)
        end = b"\r\n" if b"\r\n" in self.text.data else b"\n"
        added = [self._new(wanted) + end for wanted in wanted_objects if wanted.number is None]
        kept = b"".join(lines)
        if added and kept and not kept.endswith((b"\n", b"\r")):
            kept += end
        return self.text.encode(kept + b"".join(added))

    def _line(self, line: bytes, old: FileObject, wanted: WantedObject) -> bytes:
        """A line with another class or shape; the text of what stays is not changed."""
        body = line.rstrip(b"\r\n")
        number = self._number(wanted.class_name)
        if wanted.shape is not None and wanted.shape != old.shape:
            written = self._written(wanted.class_name, wanted.shape)
            return written + line[len(body) :]
        if wanted.class_name == old.class_name:
            return line
        lead = body[: len(body) - len(body.lstrip())]
        return lead + str(number).encode() + line[len(lead) + len(body.split()[0]) :]

    def _new(self, wanted: WantedObject) -> bytes:
        assert wanted.shape is not None
        return self._written(wanted.class_name, wanted.shape)

    def _written(self, name: str, shape: Shape) -> bytes:
        labeled = ObjectToWrite(name, shape.bounds, shape.outline)
        photo = PhotoToWrite(Path(), "", self.size, "", (labeled,))
        return object_line(self._number(name), labeled, photo, Losses()).encode()

    def _number(self, name: str) -> int:
        if name not in self.numbers:
            raise LabelError.in_file(
                self.text.path, f"no number stands for the class {name}. Add the class to data.yaml first."
            )
        return self.numbers[name]
