"""One XML file of Pascal VOC: its photo, and its objects with their lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

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
    declared_size: (height, width) as written, if given
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
    """Raises LabelError, with file and line, for broken XML and for objects without name or valid box."""
    path = root / file
    annotation = read_xml(path)
    filename = annotation.first("filename")
    return VocFile(
        file=file,
        filename=filename.text if filename else "",
        line=filename.line if filename else annotation.line,
        declared_size=_declared_size(annotation),
        objects=tuple(_object(element, path) for element in annotation.all("object")),
        note=annotation.note,
    )


def _declared_size(annotation: Element) -> tuple[int, int] | None:
    size = annotation.first("size")
    if size is None:
        return None
    height, width = size.text_of("height"), size.text_of("width")
    is_given = height.isdecimal() and width.isdecimal() and max(len(height), len(width)) < 10
    return (int(height), int(width)) if is_given else None


def _object(element: Element, path: Path) -> VocObject:
    name = element.text_of("name")
    if not name:
        raise LabelError(f"{path}:{element.line}: an <object> without a <name>")
    box = element.first("bndbox")
    if box is None:
        raise LabelError(f"{path}:{element.line}: {name} without a <bndbox>")
    xmin, ymin, xmax, ymax = (_number(box, tag, path) for tag in ("xmin", "ymin", "xmax", "ymax"))
    return VocObject(name, (xmin, ymin, xmax, ymax), _difficult(element, path), element.line)


def _number(box: Element, tag: str, path: Path) -> float:
    """The number in a tag. NaN and infinity pass; they are reported with the other bad boxes."""
    try:
        return float(box.text_of(tag))
    except ValueError:
        found = box.text_of(tag) or "nothing"
        raise LabelError(f"{path}:{box.line}: <{tag}> should hold a number, found {found}") from None


def _difficult(element: Element, path: Path) -> bool:
    text = element.text_of("difficult").lower()
    if text not in _FLAGS:
        raise LabelError(f"{path}:{element.line}: <difficult> should be 0 or 1, found {text}")
    return _FLAGS[text]
