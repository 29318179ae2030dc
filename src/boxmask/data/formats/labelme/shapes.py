"""One shape of a LabelMe file: its class, and its box or outline."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeAlias

from boxmask.data.findings import Box
from boxmask.data.formats.corners import box_of_points, is_upright, rotated_box
from boxmask.data.formats.shape_errors import UnsupportedShapeError
from boxmask.data.outlines import Ellipse, Outline
from boxmask.json_numbers import is_number, to_float, to_floats
from boxmask.names import class_name

_DRAWN = ("label", "shape_type", "points", "mask", "group_id", "direction")
_DESCRIBED = ("flags", "attributes", "description", "score")
_STANDARD = frozenset((*_DRAWN, *_DESCRIBED, "line_color", "fill_color"))
"""Fields with a meaning of their own, or of none, such as the colors of old files."""

_EMPTY: tuple[object, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class MaskText:
    """The fields of a shape "mask", not yet decoded."""

    text: object
    corners: Sequence[float]


ShapeOutline: TypeAlias = Outline | MaskText | Sequence[float]
"""An outline as read: numbers are a polygon, x, y, x, y, ..."""


@dataclass(slots=True)
class Shape:
    """One shape.

    box:     of a rectangle; None for other shapes
    outline: of other shapes
    group:   shapes of one label and group are parts of one object
    """

    label: str
    box: Box | None
    outline: ShapeOutline | None
    group: int | None
    attributes: dict[str, object] = field(default_factory=dict)


def parse_shape(entry: object) -> Shape:
    """The shape in an entry of "shapes".

    Raises UnsupportedShapeError for points and lines, and ValueError with what else is wrong.
    """
    if not isinstance(entry, dict):
        raise ValueError(f"expected an object with label and points, found {str(entry)[:60]}")
    label = entry.get("label")
    if not isinstance(label, str) or not class_name(label):
        raise ValueError(f"expected the class as text in label, found {str(label)[:60]}")
    kind = entry.get("shape_type")
    if kind is None:
        kind = "polygon"  # files of LabelMe 2
    parse = _PARSERS.get(kind) if isinstance(kind, str) else None
    if parse is None:
        raise UnsupportedShapeError(f'"{label[:60]}" has the shape type {str(kind)[:60]}')
    box, outline = parse(_coordinates(entry.get("points")), entry)
    group = entry.get("group_id")
    if group is not None and (not isinstance(group, int) or isinstance(group, bool)):
        raise ValueError(f"expected group_id as a whole number or null, found {str(group)[:60]}")
    return Shape(label, box, outline, group, _attributes(entry))


def _coordinates(points: object) -> list[float]:
    """Points [[x, y], ...] as x, y, x, y, ..."""
    if not isinstance(points, list) or not points:
        raise ValueError(f"expected points as [[x, y], ...], found {str(points)[:60]}")
    if set(map(type, points)) == {list} and set(map(len, points)) == {2}:
        quickly = to_floats(list(chain.from_iterable(points)))
        if quickly is not None:
            return quickly
    coordinates = list[float]()
    for point in points:
        if not (isinstance(point, list) and len(point) == 2 and all(map(is_number, point))):
            raise ValueError(f"expected each point as [x, y], found {str(point)[:60]}")
        coordinates.extend(map(to_float, point))
    return coordinates


def _attributes(entry: dict[str, Any]) -> dict[str, object]:
    """What a shape says beside class and outline, for those fields that are not empty."""
    attributes: dict[str, object] = {
        key: value for key, value in entry.items() if key not in _STANDARD and value not in _EMPTY
    }
    for key in ("attributes", "flags"):
        if isinstance(named := entry.get(key), dict):
            attributes |= named
    for key in ("description", "score"):
        if entry.get(key) not in _EMPTY:
            attributes[key] = entry[key]
    return attributes


# ---------------------------------------------------------------- kinds of shapes

_Parser: TypeAlias = Callable[[list[float], dict[str, Any]], tuple[Box | None, ShapeOutline | None]]


def _rectangle(points: list[float], _: dict[str, Any]) -> tuple[Box | None, ShapeOutline | None]:
    """Two opposite corners, or all four as X-AnyLabeling writes them."""
    if len(points) not in (4, 8):
        raise ValueError(f"a rectangle needs two or four points, found {len(points) // 2}")
    if len(points) == 4 or is_upright(points):
        return box_of_points(points), None
    return None, rotated_box(points)


def _rotated(points: list[float], _: dict[str, Any]) -> tuple[Box | None, ShapeOutline | None]:
    if len(points) != 8:
        raise ValueError(f"a rotated box needs four points, found {len(points) // 2}")
    return None, rotated_box(points)


def _polygon(points: list[float], _: dict[str, Any]) -> tuple[Box | None, ShapeOutline | None]:
    return None, points


def _circle(points: list[float], _: dict[str, Any]) -> tuple[Box | None, ShapeOutline | None]:
    """The center, and a point on the circle."""
    if len(points) != 4:
        raise ValueError(f"a circle needs two points, its center and one on it; found {len(points) // 2}")
    x, y, edge_x, edge_y = points
    radius = math.hypot(edge_x - x, edge_y - y)
    return None, Ellipse((x, y), (radius, radius))


def _mask(points: list[float], entry: dict[str, Any]) -> tuple[Box | None, ShapeOutline | None]:
    return None, MaskText(entry.get("mask"), points)


_PARSERS: dict[str, _Parser] = {
    "rectangle": _rectangle,
    "rotation": _rotated,  # X-AnyLabeling
    "oriented_rectangle": _rotated,  # LabelMe 6
    "polygon": _polygon,
    "quadrilateral": _polygon,  # X-AnyLabeling
    "circle": _circle,
    "mask": _mask,
}
