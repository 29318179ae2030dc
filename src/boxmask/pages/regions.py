"""Boxes as they can be drawn, and the parts of photos around them."""

from __future__ import annotations

import math

from boxmask.data.findings import Box

Region = tuple[int, int, int, int]
"""x, y, width and height in whole pixels of the photo as shown."""

Rectangle = tuple[float, float, float, float]
"""x, y, width and height in pixels of the photo as shown."""

_MAX_COORDINATE = 1e7
_MIN_SIDE = 48
_MIN_VISIBLE = 4
_MAX_SHARE = 0.5
"""A part that is larger than this share of its photo shows no more than the photo does."""


def rectangle(box: Box | None) -> Rectangle | None:
    """A finite box, whichever corner comes first; None for any other."""
    if box is None or not all(math.isfinite(edge) and abs(edge) < _MAX_COORDINATE for edge in box):
        return None
    (x1, x2), (y1, y2) = sorted((box[0], box[2])), sorted((box[1], box[3]))
    return x1, y1, x2 - x1, y2 - y1


def around_both(box: Box | None, detection: Box | None) -> Box | None:
    """The smallest box around a labeled box and that of a model; the only one if the other is None."""
    if box is None or detection is None:
        return box or detection
    (x1, y1, x2, y2), (left, top, right, bottom) = box, detection
    return min(x1, left), min(y1, top), max(x2, right), max(y2, bottom)


def frame_around(box: Box | None, size: tuple[int, int]) -> Rectangle | None:
    """A box with a margin, also where it reaches beyond its photo of (width, height).

    None if the frame would show most of the photo, or hardly any of it.
    """
    drawn, region = rectangle(box), region_around(box, size)
    if drawn is None or region is None:
        return None
    (left, right), (top, bottom) = (
        _interval(drawn[axis], drawn[axis + 2], max(drawn[2:]), max(size)) for axis in (0, 1)
    )
    return left, top, right - left, bottom - top


def region_around(box: Box | None, size: tuple[int, int]) -> Region | None:
    """The pixels of a photo of (width, height) in the frame around a box.

    None if they are most of the photo, or hardly any.
    """
    drawn = rectangle(box)
    if drawn is None:
        return None
    (left, right), (top, bottom) = (
        _interval(drawn[axis], drawn[axis + 2], max(drawn[2:]), max(size)) for axis in (0, 1)
    )
    left, top, right, bottom = max(0, left), max(0, top), min(size[0], right), min(size[1], bottom)
    width, height = right - left, bottom - top
    if min(width, height) < _MIN_VISIBLE or width * height > _MAX_SHARE * size[0] * size[1]:
        return None
    return left, top, width, height


def _interval(start: float, length: float, longest: float, photo_side: int) -> tuple[int, int]:
    """The frame along one axis: the box with a margin, not much narrower than along the other axis."""
    margin = max(0.4 * longest, 8.0)
    half = max(length / 2 + margin, 0.3 * (longest + 2 * margin), _MIN_SIDE / 2)
    half = min(half, photo_side)
    center = start + length / 2
    return math.floor(center - half), math.ceil(center + half)
