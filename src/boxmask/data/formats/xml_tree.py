"""XML as a tree whose elements know their line, which the trees of the standard library do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from boxmask.data.formats.xml_parser import MAX_DEPTH, broken_xml, new_parser, too_deep
from boxmask.data.text import read_text
from boxmask.errors import LabelError


class Element:
    """One element: its tag, the line it begins in, its text without surrounding spaces, and its children.

    note: of the root: why the file was read in an encoding other than the declared one, "" if it was not
    """

    __slots__ = ("children", "line", "note", "tag", "text")

    def __init__(self, tag: str, line: int) -> None:
        self.tag = tag
        self.line = line
        self.text = ""
        self.note = ""
        self.children: list[Element] = []

    def all(self, tag: str) -> Iterator[Element]:
        """The children with this tag."""
        return (child for child in self.children if child.tag == tag)

    def first(self, tag: str) -> Element | None:
        """The first child with this tag, if there is one."""
        return next(self.all(tag), None)

    def text_of(self, tag: str) -> str:
        """The text of the first child with this tag; "" if there is none."""
        child = self.first(tag)
        return child.text if child else ""


def read_xml(path: Path) -> Element:
    """The root element of a file.

    Raises LabelError, with line and column, for files that cannot be decoded, for broken XML, and for
    entities that the file declares, because a few lines of them can expand to gigabytes.
    """
    text = read_text(path)
    root = parse_xml(text.content, path)
    root.note = text.note
    return root


def parse_xml(text: str, path: Path) -> Element:
    """The root element of the text of a file. Raises LabelError as `read_xml` does."""
    if not text.strip():
        raise LabelError.in_file(path, "this file is empty. Restore it from a copy, or remove it.")
    builder = _TreeBuilder(path)
    try:
        builder.parser.Parse(text, True)
    except expat.ExpatError as error:
        raise broken_xml(path, error) from error
    return builder.top.children[0]


class _TreeBuilder:
    """The handlers of an expat parser that make the tree below `top`."""

    def __init__(self, path: Path) -> None:
        self.parser = new_parser(path)
        self.parser.StartElementHandler = self._start
        self.parser.CharacterDataHandler = self._add_text
        self.parser.EndElementHandler = self._end
        self.top = Element("", 0)
        self._path = path
        self._open: list[tuple[Element, list[str]]] = [(self.top, [])]

    def _start(self, tag: str, _: dict[str, str]) -> None:
        element = Element(tag, self.parser.CurrentLineNumber)
        if len(self._open) > MAX_DEPTH:
            raise too_deep(self._path, self.parser)
        self._open[-1][0].children.append(element)
        self._open.append((element, []))

    def _add_text(self, text: str) -> None:
        self._open[-1][1].append(text)

    def _end(self, _: str) -> None:
        element, parts = self._open.pop()
        element.text = "".join(parts).strip()
