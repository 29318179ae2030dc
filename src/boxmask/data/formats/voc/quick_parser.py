"""Parse a label file of Pascal VOC in the usual form, in C code, which is quick but knows no lines."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from boxmask.data.formats.voc.annotation import (
    CORNERS,
    FLAGS,
    READ_TAGS,
    VocHeader,
    VocObjects,
    declared_size,
)

_OBJECT_TAG = re.compile("<object", re.IGNORECASE)
_DECLARATIONS = ("<!DOCTYPE", "<!ENTITY")


def parse_quickly(text: str, file: str) -> tuple[VocHeader, VocObjects] | None:
    """The content of a file in the usual form; None for any other file."""
    if any(declaration in text for declaration in _DECLARATIONS) or text.count("\r") != text.count("\r\n"):
        return None
    try:
        annotation = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return None
    children = {child.tag: child for child in annotation if child.tag != "object"}
    elements = annotation.findall("object")
    is_usual = annotation.tag == "annotation" and len(children) + len(elements) == len(annotation)
    if not is_usual or len(_OBJECT_TAG.findall(text)) != len(elements) or text.count("<filename") > 1:
        return None
    objects = VocObjects()
    if not all(_add_quickly(element, objects) for element in elements):
        return None
    size = children.get("size")
    if size is not None and len({child.tag for child in size}) < len(size):
        return None
    filename = children.get("filename")
    line = 1 + text.count("\n", 0, text.find("<annotation" if filename is None else "<filename"))
    declared = (
        None if size is None else declared_size(size.findtext("height", ""), size.findtext("width", ""))
    )
    others = {
        tag for tag, child in children.items() if tag not in READ_TAGS and (len(child) or _stripped(child))
    }
    unkept = tuple(sorted(others | objects.unkept))
    name = "" if filename is None else _stripped(filename)
    return VocHeader(file, name, line, declared, unkept), objects


def _add_quickly(element: ElementTree.Element, objects: VocObjects) -> bool:
    """Add an object in the usual form. Returns False for any other."""
    children = {child.tag: child for child in element}
    name, box = children.pop("name", None), children.pop("bndbox", None)
    if name is None or box is None or len(children) + 2 < len(element):
        return False
    corners = {child.tag: child.text for child in box}
    difficult = children.pop("difficult", None)
    flag = FLAGS.get("" if difficult is None else _stripped(difficult).lower())
    class_name = _stripped(name)
    if not class_name or flag is None or len(corners) < len(box) or len(name):
        return False
    try:
        objects.corners.append([float(corners[tag] or "") for tag in CORNERS])
    except (KeyError, ValueError):
        return False
    objects.add_attributes({tag: _stripped(child) for tag, child in children.items() if not len(child)})
    objects.unkept.update(tag for tag, child in children.items() if len(child))
    objects.names.append(class_name)
    objects.difficult.append(flag)
    return True


def _stripped(element: ElementTree.Element) -> str:
    return (element.text or "").strip()
