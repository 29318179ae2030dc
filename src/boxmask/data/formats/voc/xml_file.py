"""One XML file of Pascal VOC: its photo and its objects.

A file in which anything is unusual is parsed by `parse_xml`, which knows the line of every element.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from boxmask.data.findings import Finding, Findings, Location, finding_of_error
from boxmask.data.formats.kinds import ENTRY_UNREADABLE, FILE_UNREADABLE
from boxmask.data.formats.voc.annotation import (
    CORNERS,
    FLAGS,
    READ_TAGS,
    VocHeader,
    VocObjects,
    declared_size,
)
from boxmask.data.formats.voc.quick_parser import parse_quickly
from boxmask.data.formats.xml_tree import Element, parse_xml
from boxmask.data.text import read_text
from boxmask.errors import LabelError


@dataclass(frozen=True, slots=True)
class VocFile:
    """One label file.

    note: why the file was read in an encoding other than the declared one, "" if it was not
    """

    header: VocHeader
    objects: VocObjects
    note: str = ""


def read_voc_file(root: Path, file: str, findings: Findings) -> VocFile | None:
    """Read one file; None if it cannot be read, which is added to the findings.

    Objects without one name and one box are left out and added to the findings, too.
    """
    path = root / file
    try:
        text = read_text(path)
        found = parse_quickly(text.content, file) or _read_exactly(text.content, path, file, findings)
    except LabelError as error:
        findings.add(finding_of_error(FILE_UNREADABLE, path, error))
        return None
    return VocFile(*found, text.note)


@lru_cache(maxsize=16)
def object_lines(path: Path) -> list[int]:
    """The lines of the objects that `read_voc_file` reads; none if the file has changed since."""
    try:
        return _read_exactly(read_text(path).content, path, "", Findings())[1].lines
    except LabelError:
        return []


# ---------------------------------------------------------------- structure


class _EntryError(ValueError):
    """An object that cannot be read."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def _read_exactly(text: str, path: Path, file: str, findings: Findings) -> tuple[VocHeader, VocObjects]:
    """Raises LabelError, with file and line, for broken XML and for another form than VOC's."""
    annotation = parse_xml(text, path)
    try:
        _check_structure(annotation)
        filename = _only(annotation, "filename")
        size = _declared_size(annotation)
    except _EntryError as error:
        raise LabelError.in_file(path, str(error), error.line) from error
    line = filename.line if filename else annotation.line
    objects = VocObjects()
    for element in annotation.all("object"):
        try:
            _add_exactly(element, objects)
        except _EntryError as error:
            location = Location(str(path), error.line)
            findings.add(Finding(ENTRY_UNREADABLE, location, str(error), file, num_left_out=1))
    others = {child.tag for child in annotation.children if child.children or child.text} - READ_TAGS
    unkept = tuple(sorted(others | objects.unkept))
    return VocHeader(file, filename.text if filename else "", line, size, unkept), objects


def _check_structure(annotation: Element) -> None:
    """Raise _EntryError for another outermost element, and for objects where they would not be read."""
    if annotation.tag != "annotation":
        raise _EntryError(
            annotation.line,
            f"expected <annotation> as the outermost element, found <{annotation.tag}>. Save one VOC "
            "annotation per file.",
        )
    for parent, child in _descendants(annotation):
        if child.tag.lower() == "object" and (child.tag != "object" or parent is not annotation):
            raise _EntryError(
                child.line,
                "expected each <object> directly inside <annotation>, "
                f"found <{child.tag}> inside <{parent.tag}>",
            )


def _descendants(element: Element) -> Iterator[tuple[Element, Element]]:
    """All elements below `element`, each with its parent."""
    waiting = [element]
    while waiting:
        parent = waiting.pop()
        for child in parent.children:
            yield parent, child
        waiting.extend(parent.children)


def _only(element: Element, tag: str) -> Element | None:
    """The only child with this tag, if there is one. Repeats with the same content are accepted.

    Raises _EntryError for children with different content, of which all but one would be lost.
    """
    children = list(element.all(tag))
    for child in children[1:]:
        if not _is_equal(child, children[0]):
            raise _EntryError(
                child.line,
                f"expected one <{tag}> inside <{element.tag}>, found another one with "
                f"other content in line {children[0].line}",
            )
    return children[0] if children else None


def _is_equal(first: Element, second: Element) -> bool:
    """Whether two elements have the same text and the same children."""
    return (
        first.tag == second.tag
        and first.text == second.text
        and len(first.children) == len(second.children)
        and all(map(_is_equal, first.children, second.children))
    )


def _text(element: Element, tag: str) -> str:
    """The text of the only child with this tag, "" if there is none."""
    child = _only(element, tag)
    return child.text if child else ""


def _tags(element: Element) -> str:
    """The tags of the children, for messages."""
    return ", ".join(dict.fromkeys(f"<{child.tag}>" for child in element.children)) or "nothing"


# ---------------------------------------------------------------- values


def _declared_size(annotation: Element) -> tuple[int, int] | None:
    size = _only(annotation, "size")
    return None if size is None else declared_size(_text(size, "height"), _text(size, "width"))


def _add_exactly(element: Element, objects: VocObjects) -> None:
    """Raises _EntryError for an object without one name and one box."""
    name = _text(element, "name")
    if not name:
        reason = f"an <object> without a <name>; expected its class, found {_tags(element)}"
        raise _EntryError(element.line, reason)
    box = _only(element, "bndbox")
    if box is None:
        expected = "expected one with <xmin>, <ymin>, <xmax> and <ymax>"
        raise _EntryError(element.line, f"{name} without a <bndbox>; {expected}, found {_tags(element)}")
    corners = [_number(box, tag) for tag in CORNERS]
    difficult = _difficult(element)
    known = ("name", "bndbox", "difficult")
    others = [child for child in element.children if child.tag not in known]
    objects.add_attributes({child.tag: child.text for child in others if not child.children})
    objects.unkept.update(child.tag for child in others if child.children)
    objects.names.append(name)
    objects.corners.append(corners)
    objects.difficult.append(difficult)
    objects.lines.append(element.line)


def _number(box: Element, tag: str) -> float:
    """The number in a tag. NaN and infinity pass; they are reported with the other bad boxes."""
    text = _text(box, tag)
    try:
        return float(text)
    except ValueError:
        found = text[:60] or "nothing"
        raise _EntryError(box.line, f"<{tag}> should hold a number, found {found}") from None


def _difficult(element: Element) -> bool:
    text = _text(element, "difficult")
    if text.lower() not in FLAGS:
        raise _EntryError(element.line, f"<difficult> should be 0 or 1, found {text[:60]}")
    return FLAGS[text.lower()]
