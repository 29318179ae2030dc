"""The objects that a client asks to save, checked against the photo."""

from __future__ import annotations

import math
from collections.abc import Sequence

from boxmask.data.correction.objects import Shape
from boxmask.serving.datasets.replies import BoxBody, ObjectsBody, PolygonBody
from boxmask.serving.datasets.saving import SavedObject
from boxmask.serving.errors import RequestError

_MIN_SIDE = 1.0
"""Pixels. Smaller boxes and polygons are slips of the hand."""


def requested_objects(body: ObjectsBody, size: Sequence[int]) -> list[SavedObject]:
    """The objects of a request; shapes are clipped to the photo.

    size: (height, width); 0 if it is unknown

    Raises RequestError for shapes that are not finite, too small, or outside of the photo.
    """
    return [
        SavedObject(
            each.id, each.class_name, None if each.shape is None else _shape(each.shape, number, size)
        )
        for number, each in enumerate(body.objects)
    ]


def _shape(shape: BoxBody | PolygonBody, number: int, size: Sequence[int]) -> Shape:
    height, width = (side or math.inf for side in size)
    if isinstance(shape, BoxBody):
        x1, y1, x2, y2 = shape.box
        points: Sequence[tuple[float, float]] = ((min(x1, x2), min(y1, y2)), (max(x1, x2), max(y1, y2)))
    else:
        points = shape.points
    if not all(math.isfinite(value) for point in points for value in point):
        raise RequestError(422, "invalid", f"objects[{number}].shape: expected finite numbers.")
    clipped = tuple((min(max(x, 0.0), width), min(max(y, 0.0), height)) for x, y in points)
    drawn = Shape(shape.kind, clipped)
    left, top, right, bottom = drawn.bounds
    if right - left < _MIN_SIDE or bottom - top < _MIN_SIDE:
        raise RequestError(
            422,
            "invalid",
            f"objects[{number}].shape: less than one pixel wide or high within the photo "
            f"of {size[1]} × {size[0]} pixels. Draw it larger, or leave the object out.",
        )
    return drawn
