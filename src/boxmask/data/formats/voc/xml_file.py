"""One XML file of Pascal VOC: its photo, and its objects with their lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from boxmask.data.formats.labels import declared_side
from boxmask.data.formats.xml_tree import Element, read_xml
from boxmask.errors import LabelError

_FLAGS = {"1": True, "true": True, "0": False, "false": False, "unspecified": False, "": False}


@dataclass(frozen=True, slots=True)
class VocObject:
    """One <object>: class name, corners (xmin, ymin, xmax, ymax) as written, and its line."""

    name: str
    corners: tuple[float, float, float, float]
    difficult: bool
    line: int


@dataclass(frozen=True, slots=True)
class VocFile:
    """One annotation file.

    file:          relative to the root
    filename:      the photo's name as written, "" if there is none
    line:          of that name
    declared_size: (height, width) as written, if both are whole numbers
    note:          why the file was read in an encoding other than the declared one, "" if it was not
    """

    file: str
    filename: str
    line: int
    declared_size: tuple[int, int] | None
    objects: tuple[VocObject, ...]
    note: str = ""

    @property
    def stem(self) -> str:
        """The name of the file without its suffix, which split files use."""
        return PurePosixPath(self.file).stem


def read_voc_file(root: Path, file: str) -> VocFile:
    """Raises LabelError, with file and line, for broken XML and for objects without one name and one box."""
    path = root / file
    annotation = read_xml(path)
    _check_structure(annotation, path)
    filename = _only(annotation, "filename", path)
    return VocFile(
        file=file,
        filename=filename.text if filename else "",
        line=filename.line if filename else annotation.line,
        declared_size=_declared_size(annotation, path),
        objects=tuple(_object(element, path) for element in annotation.all("object")),
        note=annotation.note,
    )


# ---------------------------------------------------------------- structure


def _check_structure(annotation: Element, path: Path) -> None:
    """Raise LabelError for another outermost element, and for objects where they would not be read."""
    if annotation.tag != "annotation":
        raise LabelError(
            f"{path}:{annotation.line}: expected <annotation> as the outermost element, "
            f"found <{annotation.tag}>. Save one VOC annotation per file."
        )
    for parent, child in _descendants(annotation):
        if child.tag.lower() == "object" and (child.tag != "object" or parent is not annotation):
            raise LabelError(
                f"{path}:{child.line}: expected each <object> directly inside <annotation>, "
                f"found <{child.tag}> inside <{parent.tag}>"
            )


def _descendants(element: Element) -> Iterator[tuple[Element, Element]]:
    """All elements below `element`, each with its parent."""
    waiting = [element]
    while waiting:
        parent = waiting.pop()
        for child in parent.children:
            yield parent, child
        waiting.extend(parent.children)


def _only(element: Element, tag: str, path: Path) -> Element | None:
    """The only child with this tag, if there is one. Repeats with the same content are accepted.

    Raises LabelError for children with different content, of which all but one would be lost.
    """
    children = list(element.all(tag))
    for child in children[1:]:
        if not _is_equal(child, children[0]):
            raise LabelError(
                f"{path}:{child.line}: expected one <{tag}> inside <{element.tag}>, found another one with "
                f"other content in line {children[0].line}"
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


def _text(element: Element, tag: str, path: Path) -> str:
    """The text of the only child with this tag, "" if there is none."""
    child = _only(element, tag, path)
    return child.text if child else ""


def _tags(element: Element) -> str:
    """The tags of the children, for messages."""
    return ", ".join(dict.fromkeys(f"<{child.tag}>" for child in element.children)) or "nothing"


# ---------------------------------------------------------------- values


def _declared_size(annotation: Element, path: Path) -> tuple[int, int] | None:
    """(height, width), None if one of them is missing or no whole number."""
    size = _only(annotation, "size", path)
    if size is None:
        return None
    height, width = (declared_side(_text(size, tag, path)) for tag in ("height", "width"))
    return None if height is None or width is None else (height, width)


def _object(element: Element, path: Path) -> VocObject:
    name = _text(element, "name", path)
    location = f"{path}:{element.line}"
    if not name:
        raise LabelError(
            f"{location}: an <object> without a <name>; expected its class, found {_tags(element)}"
        )
    box = _only(element, "bndbox", path)
    if box is None:
        expected = "expected one with <xmin>, <ymin>, <xmax> and <ymax>"
        raise LabelError(f"{location}: {name} without a <bndbox>; {expected}, found {_tags(element)}")
    xmin, ymin, xmax, ymax = (_number(box, tag, path) for tag in ("xmin", "ymin", "xmax", "ymax"))
    return VocObject(name, (xmin, ymin, xmax, ymax), _difficult(element, path), element.line)


def _number(box: Element, tag: str, path: Path) -> float:
    """The number in a tag. NaN and infinity pass; they are reported with the other bad boxes."""
    text = _text(box, tag, path)
    try:
        return float(text)
    except ValueError:
        found = text[:60] or "nothing"
        raise LabelError(f"{path}:{box.line}: <{tag}> should hold a number, found {found}") from None


def _difficult(element: Element, path: Path) -> bool:
    text = _text(element, "difficult", path)
    if text.lower() not in _FLAGS:
        raise LabelError(f"{path}:{element.line}: <difficult> should be 0 or 1, found {text[:60]}")
    return _FLAGS[text.lower()]
