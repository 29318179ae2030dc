"""Correct the objects of a VOC file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from xml.parsers import expat

from boxmask.data.correction.label_text import LabelText
from boxmask.data.correction.objects import FileObject, Shape, WantedObject
from boxmask.data.findings import Box
from boxmask.data.formats.contract import Losses, ObjectToWrite
from boxmask.data.formats.numbers import short_number
from boxmask.data.formats.voc.annotation import CORNERS
from boxmask.data.formats.voc.write import corners_of, object_text
from boxmask.data.formats.xml_parser import broken_xml, new_parser
from boxmask.data.formats.xml_writing import xml_text
from boxmask.errors import LabelError
from boxmask.masks import Size
from boxmask.names import class_name

_START_TAG = re.compile(rb"""<[^\s/>]+(?:\s+[^\s=]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*/?>""")
_SPACE = b" \t\r\n"


@dataclass(slots=True)
class _Element:
    """Where an element lies in the text.

    inner: the start and end of what is between its tags
    text:  between its tags, without entities
    """

    start: int
    end: int = 0
    inner: tuple[int, int] = (0, 0)
    text: str = ""
    children: list[tuple[str, _Element]] = field(default_factory=list)

    def first(self, tag: str) -> _Element | None:
        """The first child with this tag."""
        return next((child for name, child in self.children if name == tag), None)


@dataclass(frozen=True)
class VocLabels:
    """See `PhotoLabels`. The format holds boxes only.

    size: (height, width) of the photo as shown
    """

    text: LabelText
    size: Size

    @cached_property
    def _annotation(self) -> _Element:
        root = _parse(self.text)
        found = root.first("annotation")
        if found is None:
            raise LabelError.in_file(self.text.path, "expected <annotation> as the outermost element.")
        return found

    @cached_property
    def _parsed(self) -> list[tuple[_Element, FileObject]]:
        """The objects with one name and one box."""
        elements = [child for tag, child in self._annotation.children if tag == "object"]
        pairs = [(element, _file_object(element)) for element in elements]
        return [(element, labeled) for element, labeled in pairs if labeled is not None]

    @cached_property
    def objects(self) -> Sequence[FileObject]:
        """The objects that can be read."""
        return [labeled for _, labeled in self._parsed]

    @cached_property
    def _is_whole(self) -> bool:
        """Whether the file writes whole numbers only, as most tools read them."""
        boxes = (element.first("bndbox") for element, _ in self._parsed)
        texts = [child.text for box in boxes if box for tag, child in box.children if tag in CORNERS]
        return all(float(text).is_integer() and "." not in text for text in texts)

    def corrected(self, wanted_objects: Sequence[WantedObject]) -> bytes:
        """See `PhotoLabels.corrected`."""
        wanted_of = {wanted.number: wanted for wanted in wanted_objects if wanted.number is not None}
        data = self.text.data
        changes: list[tuple[int, int, bytes]] = []
        for number, (element, old) in enumerate(self._parsed):
            wanted = wanted_of.get(number)
            if wanted is None:
                start = len(data[: element.start].rstrip(_SPACE))
                changes.append((start, element.end, b""))
            else:
                changes += self._changes(element, old, wanted)
        end = self._annotation.inner[1]
        place = len(data[:end].rstrip(_SPACE))
        added = b"".join(self._new(wanted) for wanted in wanted_objects if wanted.number is None)
        changes.append((place, place, added))
        for start, end, replacement in sorted(changes, reverse=True):
            data = data[:start] + replacement + data[end:]
        return self.text.encode(data)

    def _changes(
        self, element: _Element, old: FileObject, wanted: WantedObject
    ) -> list[tuple[int, int, bytes]]:
        """The parts of an object to replace."""
        changes = []
        if wanted.class_name != old.class_name:
            name = xml_text(wanted.class_name, "class name").encode()
            changes = [(*child.inner, name) for tag, child in element.children if tag == "name"]
        if wanted.shape is not None and wanted.shape != old.shape:
            corners = dict(zip(CORNERS, self._corners(wanted.shape), strict=True))
            boxes = [child for tag, child in element.children if tag == "bndbox"]
            changes += [
                (*child.inner, str(short_number(corners[tag])).encode())
                for box in boxes
                for tag, child in box.children
                if tag in corners
            ]
        return changes

    def _corners(self, shape: Shape) -> Box:
        """xmin, ymin, xmax, ymax as the file writes them. Raises LabelError for a polygon."""
        if shape.kind == "polygon":
            raise LabelError.in_file(
                self.text.path, "Pascal VOC holds boxes only. Convert the data set to draw polygons."
            )
        corners = corners_of(shape.bounds)
        if not self._is_whole:
            return corners
        xmin, ymin, xmax, ymax = map(round, corners)
        height, width = self.size
        xmax, ymax = min(max(xmax, xmin + 1), width), min(max(ymax, ymin + 1), height)
        return min(max(xmin, 1), xmax - 1), min(max(ymin, 1), ymax - 1), xmax, ymax

    def _new(self, wanted: WantedObject) -> bytes:
        """The text of a new object, with the space before it."""
        assert wanted.shape is not None
        xmin, ymin, xmax, ymax = self._corners(wanted.shape)
        box = (xmin - 1, ymin - 1, xmax, ymax)
        lines = object_text(ObjectToWrite(wanted.class_name, box), "", Losses()).split("\n")
        gap = self._gap_before_objects()
        newline, _, unit = gap.rpartition("\n")
        if "\n" not in gap:
            return "".join(line.strip() for line in lines).encode()
        end = "\r\n" if newline.endswith("\r") else "\n"
        depths = [len(list(takewhile(lambda character: character == "\t", line))) for line in lines]
        texts = [unit * depth + line.strip() for depth, line in zip(depths, lines, strict=True)]
        return (end + end.join(texts)).encode()

    def _gap_before_objects(self) -> str:
        """The space before the last child of the annotation, for example a line break and a tab."""
        if not self._annotation.children:
            return "\n\t"
        before = self.text.data[: self._annotation.children[-1][1].start]
        gap = before[len(before.rstrip(_SPACE)) :].decode()
        return gap[gap.rfind("\n") - gap.count("\r\n") :] if "\n" in gap else gap


def _parse(text: LabelText) -> _Element:
    """The elements of a file below one that stands for the file."""
    parser, data = new_parser(text.path), text.data
    top = _Element(0)
    waiting = [top]

    def start(tag: str, _: dict[str, str]) -> None:
        element = _Element(parser.CurrentByteIndex)
        waiting[-1].children.append((tag, element))
        waiting.append(element)

    def end(_: str) -> None:
        element, index = waiting.pop(), parser.CurrentByteIndex
        opening = _START_TAG.match(data, element.start)
        begin = opening.end() if opening else element.start
        is_empty = opening is not None and opening[0].endswith(b"/>")
        element.inner = (begin, begin if is_empty else index)
        element.end = begin if is_empty else data.index(b">", index) + 1

    def characters(content: str) -> None:
        waiting[-1].text += content

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = characters
    try:
        parser.Parse(data.decode(), True)
    except expat.ExpatError as error:
        raise broken_xml(text.path, error) from error
    return top


def _file_object(element: _Element) -> FileObject | None:
    """None for an object without a name or a box."""
    name, box = element.first("name"), element.first("bndbox")
    if name is None or box is None or not class_name(name.text):
        return None
    try:
        corners = [float((box.first(tag) or _Element(0)).text) for tag in CORNERS]
    except ValueError:  # a finding of the doctor
        return None
    drawn: Box = (corners[0] - 1, corners[1] - 1, corners[2], corners[3])
    return FileObject(class_name(name.text), drawn, Shape.of_box(drawn))
