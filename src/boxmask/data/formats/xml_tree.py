"""XML as a tree whose elements know their line, which the trees of the standard library do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from boxmask.errors import LabelError


class Element:
    """One element: its tag, the line it begins in, its text without surrounding spaces, and its children."""

    __slots__ = ("children", "line", "tag", "text")

    def __init__(self, tag: str, line: int) -> None:
        self.tag = tag
        self.line = line
        self.text = ""
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
    """Parse a file. Raises LabelError, with line and column, for broken XML."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    top = Element("", 0)
    open_elements = [top]

    def start(tag: str, _: dict[str, str]) -> None:
        element = Element(tag, parser.CurrentLineNumber)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def text(data: str) -> None:
        open_elements[-1].text += data

    def end(_: str) -> None:
        element = open_elements.pop()
        element.text = element.text.strip()

    parser.StartElementHandler = start
    parser.CharacterDataHandler = text
    parser.EndElementHandler = end
    try:
        parser.Parse(path.read_bytes(), True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise LabelError(f"{path}:{error.lineno}:{error.offset + 1}: broken XML ({reason})") from error
    return top.children[0]
