"""One region of VIA: its box or outline."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from boxmask.data.formats.outline_rows import BoxOrOutline
from boxmask.data.formats.shape_errors import UnsupportedShapeError
from boxmask.data.outlines import Ellipse
from boxmask.json_numbers import is_number, to_float, to_floats


def parse_shape(shape: object) -> BoxOrOutline:
    """The box or outline in "shape_attributes".

    Raises UnsupportedShapeError for points and lines, and ValueError with what else is wrong.
    """
    if not isinstance(shape, dict) or "name" not in shape:
        raise ValueError(f"expected shape_attributes with a name, found {str(shape)[:60]}")
    kind = shape["name"]
    parse = _PARSERS.get(kind) if isinstance(kind, str) else None
    if parse is None:
        raise UnsupportedShapeError(f"a region of the shape {str(kind)[:60]}")
    return parse(shape)


def _numbers(shape: dict[str, Any], *names: str) -> list[float]:
    values = [shape.get(name) for name in names]
    for name, value in zip(names, values, strict=True):
        if not is_number(value):
            raise ValueError(f"a {shape['name']} needs a number {name}, found {str(value)[:60]}")
    return [to_float(value) for value in values if is_number(value)]


def _rect(shape: dict[str, Any]) -> BoxOrOutline:
    x, y, width, height = _numbers(shape, "x", "y", "width", "height")
    return (x, y, x + width, y + height), None


def _circle(shape: dict[str, Any]) -> BoxOrOutline:
    x, y, radius = _numbers(shape, "cx", "cy", "r")
    return None, Ellipse((x, y), (radius, radius))


def _ellipse(shape: dict[str, Any]) -> BoxOrOutline:
    """theta, which old files lack, is in radians, clockwise as seen."""
    x, y, radius_x, radius_y, theta = _numbers({"theta": 0, **shape}, "cx", "cy", "rx", "ry", "theta")
    return None, Ellipse((x, y), (radius_x, radius_y), math.degrees(theta))


def _polygon(shape: dict[str, Any]) -> BoxOrOutline:
    xs, ys = _float_list(shape.get("all_points_x")), _float_list(shape.get("all_points_y"))
    if xs is None or ys is None:
        raise ValueError("a polygon needs lists of numbers, all_points_x and all_points_y")
    if len(xs) != len(ys):
        raise ValueError(f"a polygon of {len(xs)} x and {len(ys)} y")
    points = [0.0] * (2 * len(xs))
    points[::2], points[1::2] = xs, ys
    return None, points


def _float_list(values: object) -> list[float] | None:
    """None for anything but a list of numbers."""
    return to_floats(values) if isinstance(values, list) else None


_PARSERS: dict[str, Callable[[dict[str, Any]], BoxOrOutline]] = {
    "rect": _rect,
    "circle": _circle,
    "ellipse": _ellipse,
    "polygon": _polygon,
}
