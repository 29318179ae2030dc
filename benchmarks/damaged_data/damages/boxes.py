"""Single boxes: empty, inverted, outside, tiny, repeated."""

from __future__ import annotations

import copy
import math

from damaged_data.damage import BOXES, damage
from damaged_data.draft import Draft
from damaged_data.sample import Object


def _change_box(draft: Draft, kind: str, box: list[float], index: int = 2) -> None:
    """Write the data set with another box for one object."""
    thing = draft.thing(index)
    thing.box = box
    draft.write()
    draft.expect(kind, thing)


@damage("box-empty", BOXES)
def box_without_width(draft: Draft) -> None:
    x1, y1, _, y2 = draft.thing(2).box
    pixel = draft.format == "voc"  # there, xmin = xmax covers a pixel
    _change_box(draft, "box-empty", [x1, y1, x1 + pixel, y2])


@damage("box-empty, a click", BOXES)
def box_of_a_click(draft: Draft) -> None:
    x1, y1, _, _ = draft.thing(3).box
    pixel = draft.format == "voc"
    _change_box(draft, "box-empty", [x1, y1, x1 + pixel, y1 + pixel], index=3)


@damage("box-inverted", [name for name in BOXES if name != "labelme"])
def box_inverted(draft: Draft) -> None:
    x1, y1, x2, y2 = draft.thing(2).box
    _change_box(draft, "box-inverted", [x2, y1, x1, y2])


@damage("box-not-finite", [name for name in BOXES if name != "label-studio"])
def box_not_finite(draft: Draft) -> None:
    x1, y1, _, y2 = draft.thing(2).box
    _change_box(draft, "box-not-finite", [x1, y1, math.nan, y2])


@damage("box-outside", BOXES)
def box_outside(draft: Draft) -> None:
    photo = draft.photo(2)
    thing, width = photo.objects[0], photo.size[1]
    thing.move_to([width + 20, thing.box[1], width + 60, thing.box[3]])
    _change_box(draft, "box-outside", thing.box)


@damage("file-unit-differs", ["yolo"])
def file_in_percent(draft: Draft) -> None:
    photo = draft.photo(2)
    for thing in photo.objects:
        thing.move_to([100 * value for value in thing.box])
    draft.write()
    draft.expect("file-unit-differs", *photo.objects)


@damage("box-beyond-edge", BOXES)
def box_beyond_edge(draft: Draft) -> None:
    photo = draft.photo(2)
    x1, y1, _, y2 = photo.objects[0].box
    _change_box(draft, "box-beyond-edge", [x1, y1, photo.size[1] + 15, y2])


def small_box(draft: Draft) -> None:
    x1, y1, _, _ = draft.thing(2).box
    draft.thing(2).move_to([x1, y1, x1 + 14, y1 + 14])
    draft.write()


@damage("box-tiny", BOXES, twin=small_box)
def box_tiny(draft: Draft) -> None:
    x1, y1, _, _ = draft.thing(2).box
    draft.thing(2).move_to([x1, y1, x1 + 1.5, y1 + 1.5])
    _change_box(draft, "box-tiny", draft.thing(2).box)


def large_box(draft: Draft) -> None:
    height, width = draft.photo(2).size
    draft.thing(2).move_to([12, 9, width - 14, height - 11])
    draft.write()


@damage("box-whole-photo", BOXES, twin=large_box)
def box_over_whole_photo(draft: Draft) -> None:
    height, width = draft.photo(2).size
    _change_box(draft, "box-whole-photo", [0, 0, width, height])


def elongated_box(draft: Draft) -> None:
    draft.thing(2).move_to([20, 40, 120, 60])
    draft.write()


@damage("box-extreme-shape", BOXES, twin=elongated_box)
def box_extreme_shape(draft: Draft) -> None:
    height, width = draft.photo(2).size
    _change_box(draft, "box-extreme-shape", [5, height / 2, width - 5, height / 2 + 4])


def _add_object(draft: Draft, shift: float) -> tuple[Object, Object]:
    """Add an object beside the first of a photo. Returns both."""
    photo = draft.choose(lambda photo: photo.objects[0].width > 42 and photo.objects[0].box[2] < 150)
    thing = photo.objects[0]
    twin = copy.deepcopy(thing)
    x1, y1, x2, y2 = thing.box
    twin.move_to([x1 + shift, y1, x2 + shift, y2])
    photo.objects.append(twin)
    return thing, twin


def neighbor(draft: Draft) -> None:
    _add_object(draft, 22)
    draft.write()


@damage("box-repeated", BOXES, twin=neighbor)
def box_repeated(draft: Draft) -> None:
    both = _add_object(draft, 0)
    draft.write()
    draft.expect("box-repeated", *both)


@damage("box-repeated-other-class", BOXES, twin=neighbor)
def box_repeated_with_another_class(draft: Draft) -> None:
    thing, twin = _add_object(draft, 0)
    twin.name = next(name for name in draft.sample.class_names if name != thing.name)
    draft.write()
    draft.expect("box-repeated-other-class", thing, twin)


@damage("box-nearly-repeated", BOXES, twin=neighbor)
def box_nearly_repeated(draft: Draft) -> None:
    both = _add_object(draft, 1)
    draft.write()
    draft.expect("box-nearly-repeated", *both)
