"""One XML file of Pascal VOC: the photo that it means, and the objects in it, each with its line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from boxmask.data.formats.xml_lines import Element, read_xml
from boxmask.errors import LabelError

_FLAGS = {"1": True, "true": True, "0": False, "false": False, "unspecified": False, "": False}


@dataclass(frozen=True, slots=True)
class VocObject:
    """One <object>: class name, corners (xmin, ymin, xmax, ymax) as written, and where it stands."""

    name: str
    corners: tuple[float, float, float, float]
    difficult: bool
    line: int


@dataclass(frozen=True, slots=True)
class VocFile:
    """file: relative to the root; filename: the photo's name as written, "" if none; line: of that name."""

    file: str
    filename: str
    line: int
    declared: tuple[int, int] | None
    objects: tuple[VocObject, ...]

    @property
    def stem(self) -> str:
        """The name of the sheet, by which split files know it."""
        return PurePosixPath(self.file).stem


def read_voc_file(root: Path, file: str) -> VocFile:
    """Raises LabelError with file and line for broken XML, or an object without class, box or numbers."""
    path = root / file
    annotation = read_xml(path)
    named = annotation.first("filename")
    return VocFile(
        file=file,
        filename=named.text if named else "",
        line=named.line if named else annotation.line,
        declared=_declared_size(annotation),
        objects=tuple(_drawn(element, path) for element in annotation.all("object")),
    )


def _declared_size(annotation: Element) -> tuple[int, int] | None:
    size = annotation.first("size")
    if size is None:
        return None
    height, width = size.text_of("height"), size.text_of("width")
    return (int(height), int(width)) if height.isdecimal() and width.isdecimal() else None


def _drawn(element: Element, path: Path) -> VocObject:
    name = element.text_of("name")
    if not name:
        raise LabelError(f"{path}:{element.line}: an <object> without a <name>")
    box = element.first("bndbox")
    if box is None:
        raise LabelError(f"{path}:{element.line}: {name} without a <bndbox>")
    xmin, ymin, xmax, ymax = (_number(box, tag, path) for tag in ("xmin", "ymin", "xmax", "ymax"))
    return VocObject(name, (xmin, ymin, xmax, ymax), _difficult(element, path), element.line)


def _number(box: Element, tag: str, path: Path) -> float:
    """The number in a tag; one that is not finite passes, to be reported with the other impossible boxes."""
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
