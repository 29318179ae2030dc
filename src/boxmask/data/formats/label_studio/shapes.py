"""The shapes of Label Studio: rectangles, ellipses, polygons and brush masks, in percent of the photo."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import numpy as np

from boxmask.data.findings import Box
from boxmask.data.formats.label_studio.brush import decode_brush
from boxmask.data.formats.numbers import tidy_pixel, tidy_pixels
from boxmask.data.formats.outline_rows import BoxOrOutline, ReadOutline
from boxmask.data.formats.shape_errors import UnsupportedShapeError
from boxmask.data.outlines import Ellipse, RotatedBox
from boxmask.json_numbers import is_number, to_float, to_floats
from boxmask.masks import Size


def parse_shape(value: Mapping[str, object], size: Size) -> BoxOrOutline:
    """The box or outline of a region, in pixels.

    size: (height, width) that the region is drawn on
    Raises ValueError for other values than Label Studio writes, and UnsupportedShapeError for points, lines
    and videos.
    """
    if "rle" in value or value.get("format") == "rle":
        return None, _brush(value.get("rle"), size)
    if "points" in value:
        return None, _polygon(value["points"], size)
    if "radiusX" in value or "radiusY" in value:
        return None, _ellipse(value, size)
    if "vertices" in value:
        raise UnsupportedShapeError("a vector path, which is neither a box nor a polygon")
    if "imageDataURL" in value:
        raise UnsupportedShapeError("a bitmask, which Label Studio saves as an image; use the brush")
    if "sequence" in value:
        raise UnsupportedShapeError("a track in a video")
    if "height" not in value and "x" in value:
        raise UnsupportedShapeError("a keypoint, which has no area")
    return _rectangle(value, size)


def _rectangle(value: Mapping[str, object], size: Size) -> tuple[Box | None, RotatedBox | None]:
    """Label Studio rotates a rectangle around its upper left corner, clockwise."""
    height, width = size
    x, y = _number(value, "x") * width / 100, _number(value, "y") * height / 100
    across, down = _number(value, "width") * width / 100, _number(value, "height") * height / 100
    rotation = _rotation(value)
    if rotation % 360 == 0:
        return (tidy_pixel(x), tidy_pixel(y), tidy_pixel(x + across), tidy_pixel(y + down)), None
    cosine, sine = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    center = (x + (across * cosine - down * sine) / 2, y + (across * sine + down * cosine) / 2)
    return None, RotatedBox(center, (across, down), rotation)


def _ellipse(value: Mapping[str, object], size: Size) -> Ellipse:
    height, width = size
    center = (_number(value, "x") * width / 100, _number(value, "y") * height / 100)
    radii = (_number(value, "radiusX") * width / 100, _number(value, "radiusY") * height / 100)
    return Ellipse(center, radii, _rotation(value))


def _polygon(points: object, size: Size) -> list[float]:
    if not isinstance(points, list) or not all(
        isinstance(point, list) and len(point) == 2 for point in points
    ):
        raise ValueError(f"expected points as [[x, y], ...], found {str(points)[:60]}")
    numbers = to_floats([number for point in points for number in point])
    if numbers is None:
        raise ValueError(f"expected points of numbers, found {str(points)[:60]}")
    height, width = size
    in_pixels = tidy_pixels(np.array(numbers).reshape(-1, 2) * (width, height) / 100)
    return [float(number) for number in in_pixels.ravel()]


def _brush(rle: object, size: Size) -> ReadOutline:
    if not isinstance(rle, list):
        raise ValueError(f"expected the run lengths of a brush as a list, found {str(rle)[:60]}")
    try:
        data = bytes(rle)
    except (TypeError, ValueError) as error:
        raise ValueError("expected the run lengths of a brush as whole numbers from 0 to 255") from error
    return partial(decode_brush, data, size)


def _number(value: Mapping[str, object], key: str) -> float:
    number = value.get(key)
    if not is_number(number):
        raise ValueError(f'expected a number as "{key}", found {str(number)[:60]}')
    return to_float(number)


def _rotation(value: Mapping[str, object]) -> float:
    rotation = 0.0 if value.get("rotation") is None else _number(value, "rotation")
    if not math.isfinite(rotation):
        raise ValueError(f'expected a finite "rotation", found {rotation}')
    return rotation
