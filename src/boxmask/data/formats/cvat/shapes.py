"""One shape of CVAT: its box or outline, and its attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from boxmask.data.formats.cvat.elements import CvatLabel, CvatShape
from boxmask.data.formats.cvat.mask_runs import read_mask
from boxmask.data.formats.outline_rows import BoxOrOutline
from boxmask.data.formats.shape_errors import UnsupportedShapeError
from boxmask.data.outlines import Ellipse, RotatedBox, RunLengths
from boxmask.masks import Size

ReadSize: TypeAlias = Callable[[], Size]
"""Gives the size that the shapes are drawn on. Raises ValueError if it is unknown."""


def parse_shape(shape: CvatShape, size: ReadSize) -> BoxOrOutline:
    """The box or outline of a shape.

    Raises UnsupportedShapeError for points, lines and cuboids, and ValueError with what else is wrong.
    """
    match shape.tag:
        case "box":
            return _box(shape)
        case "polygon":
            return None, _points(shape.fields.get("points", ""))
        case "ellipse":
            x, y, radius_x, radius_y = _numbers(shape, "cx", "cy", "rx", "ry")
            return None, Ellipse((x, y), (radius_x, radius_y), _rotation(shape))
        case "mask":
            return None, _mask(shape, size)
    raise UnsupportedShapeError(f"<{shape.tag}> of the label {shape.fields.get('label', '')[:60]}")


def _box(shape: CvatShape) -> BoxOrOutline:
    x1, y1, x2, y2 = _numbers(shape, "xtl", "ytl", "xbr", "ybr")
    if (rotation := _rotation(shape)) % 360:
        return None, RotatedBox(((x1 + x2) / 2, (y1 + y2) / 2), (x2 - x1, y2 - y1), rotation)
    return (x1, y1, x2, y2), None


def _rotation(shape: CvatShape) -> float:
    """In degrees, clockwise."""
    return _numbers(shape, "rotation")[0] if shape.fields.get("rotation") else 0.0


def _numbers(shape: CvatShape, *names: str) -> list[float]:
    numbers = []
    for name in names:
        text = shape.fields.get(name, "")
        try:
            numbers.append(float(text))
        except ValueError:
            found = text[:60] or "nothing"
            raise ValueError(f"<{shape.tag}> needs a number {name}, found {found}") from None
    return numbers


def _points(text: str) -> list[float]:
    """Points x,y;x,y;..."""
    try:
        numbers = [float(number) for number in text.replace(";", ",").split(",")]
    except ValueError:
        numbers = []
    if not numbers or len(numbers) % 2 or text.count(";") != len(numbers) // 2 - 1:
        raise ValueError(f"expected points as x,y;x,y;..., found {text[:60] or 'nothing'}")
    return numbers


def _mask(shape: CvatShape, size: ReadSize) -> Callable[[], RunLengths]:
    text = shape.fields.get("rle", "")
    window = [shape.fields.get(name, "") for name in ("left", "top", "width", "height")]
    return lambda: read_mask(text, window, size())


# ---------------------------------------------------------------- attributes


def attributes_of(shape: CvatShape, label: CvatLabel | None) -> dict[str, object]:
    """The attributes of a shape, without the fields in which CVAT writes defaults."""
    fields, attributes = shape.fields, dict[str, object]()
    if fields.get("occluded", "0") not in ("0", "False", "false", ""):
        attributes["occluded"] = True
    for name, key in (("z_order", "z_order"), ("group_id", "group")):
        value = _number(fields.get(name, "0"))
        if isinstance(value, int) and value:
            attributes[key] = value
    if fields.get("source", "manual") not in ("manual", ""):
        attributes["source"] = fields["source"]
    input_types = label.input_types if label else {}
    for name, text in shape.attributes.items():
        attributes[name] = _value(text, input_types.get(name, "text"))
    return attributes


def _value(text: str, input_type: str) -> object:
    """Checkboxes are true or false, numbers are numbers, everything else is text."""
    if input_type == "checkbox" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return _number(text) if input_type == "number" else text


def _number(text: str) -> int | float | str:
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text
