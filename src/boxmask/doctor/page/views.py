"""How a finding is drawn: frames around photos and parts of them, in pixels of the photo."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from boxmask.data.findings import Box
from boxmask.doctor.page.objects import DrawnObject
from boxmask.pages.pictures import PhotoPictures, Picture
from boxmask.pages.regions import Rectangle, around_both, frame_around, rectangle, region_around

_MAX_REACH = 0.6
"""A frame reaches this many photos beyond the photo, to show boxes outside it."""

_SHOWN_SIZE, _NAME_SIZE = (280, 208), 12
"""Width and height of a photo with all its objects on the page, and the size of their names, about."""

_MAX_NAMES, _MAX_NAMES_ENLARGED = 12, 60
"""Names of objects that do not hide their photo, on the page and enlarged."""

_SMALL_SHARE = 0.04
"""Boxes with a side below this share of the frame get a ring around them, so that they are found."""


@dataclass(frozen=True, slots=True)
class View:
    """A frame with a picture and boxes in it, in pixels of the photo.

    frame:     x, y, width, height of what is shown
    rings:     center and radius of circles around boxes that are hardly visible
    outline:   of the object, as an SVG path; "" if it has none
    detection: the box that a model found
    objects:   all objects of the photo, to draw with their names
    overlay:   a label map to draw over the photo
    caption:   what is drawn, if the photo is drawn in several ways
    """

    frame: Rectangle
    picture: Picture
    boxes: tuple[Rectangle, ...] = ()
    rings: tuple[tuple[float, float, float], ...] = ()
    outline: str = ""
    detection: Rectangle | None = None
    objects: tuple[DrawnObject, ...] = ()
    overlay: Picture | None = None
    caption: str = ""

    @property
    def name_size(self) -> float:
        """The size of the names of objects, in pixels of the photo."""
        across, down = self.frame[2] / _SHOWN_SIZE[0], self.frame[3] / _SHOWN_SIZE[1]
        return round(_NAME_SIZE * max(across, down), 1)

    @property
    def crowd(self) -> str:
        """Whether names would hide the photo: "crowded" if they do so unless it is enlarged, else "full"."""
        number = len(self.objects)
        if number > _MAX_NAMES_ENLARGED:
            return "full"
        return "crowded" if number > _MAX_NAMES or self.caption else ""


def whole_view(
    pictures: PhotoPictures,
    box: Box | None,
    outline: str = "",
    detection: Box | None = None,
    more: Sequence[Box | None] = (),
) -> View:
    """The photo with the boxes; the frame is larger than the photo if a box reaches beyond it.

    more: further boxes
    """
    boxes = [drawn for each in (box, *more) if (drawn := rectangle(each))]
    around = [drawn for each in (around_both(box, detection), *more) if (drawn := rectangle(each))]
    frame = _frame_with(around, pictures.size)
    return View(frame, pictures.whole, tuple(boxes), _rings(around, frame), outline, rectangle(detection))


def _frame_with(boxes: Sequence[Rectangle], size: tuple[int, int]) -> Rectangle:
    """The photo of (width, height), and what it takes to show boxes that reach beyond it."""
    width, height = size
    left = max(min((0.0, *(box[0] for box in boxes))), -_MAX_REACH * width)
    top = max(min((0.0, *(box[1] for box in boxes))), -_MAX_REACH * height)
    right = min(max((width, *(box[0] + box[2] for box in boxes))), (1 + _MAX_REACH) * width)
    bottom = min(max((height, *(box[1] + box[3] for box in boxes))), (1 + _MAX_REACH) * height)
    margin = 0.02 * max(width, height) if (left, top, right, bottom) != (0, 0, width, height) else 0.0
    return left - margin, top - margin, right - left + 2 * margin, bottom - top + 2 * margin


def crop_view(
    pictures: PhotoPictures, box: Box | None, outline: str = "", detection: Box | None = None
) -> View | None:
    """The part of the photo around the boxes; None if the whole photo shows it well enough."""
    both = around_both(box, detection)
    frame, region, around = (
        frame_around(both, pictures.size),
        region_around(both, pictures.size),
        rectangle(both),
    )
    if frame is None or region is None or around is None:
        return None
    picture = pictures.crops.get(region, pictures.whole)
    boxes = tuple(drawn for drawn in (rectangle(box),) if drawn)
    return View(frame, picture, boxes, _rings([around], frame), outline, rectangle(detection))


def _rings(boxes: Sequence[Rectangle], frame: Rectangle) -> tuple[tuple[float, float, float], ...]:
    return tuple(ring for box in boxes if (ring := _ring(box, frame)))


def _ring(box: Rectangle, frame: Rectangle) -> tuple[float, float, float] | None:
    longest = max(frame[2:])
    if min(box[2:]) >= _SMALL_SHARE * longest:
        return None
    radius = max(0.6 * math.hypot(box[2], box[3]), _SMALL_SHARE * longest)
    is_long = max(box[2:]) > 0.3 * longest
    return None if is_long else (box[0] + box[2] / 2, box[1] + box[3] / 2, radius)


def labeled_view(
    pictures: PhotoPictures,
    objects: tuple[DrawnObject, ...],
    overlay: Picture | None = None,
    caption: str = "",
) -> View:
    """The photo with all its objects, also those that reach beyond it, or with its label map."""
    frame = _frame_with([each.box for each in objects], pictures.size)
    return View(frame, pictures.whole, objects=objects, overlay=overlay, caption=caption)
