"""All boxes of a data set: fractions, percentages, corners, exchanged or scaled coordinates, placeholders."""

from __future__ import annotations

from collections.abc import Callable

from damaged_data.damage import BOXES, PIXELS, damage
from damaged_data.draft import Draft
from damaged_data.sample import Size

Change = Callable[[list[float], Size], list[float]]


def _change_all(draft: Draft, kind: str, change: Change) -> None:
    """Write the data set with other boxes and outlines for all objects. The finding may name any."""
    for photo in draft.sample.photos:
        for thing in photo.objects:
            thing.move_to(change(thing.box, photo.size))
            if draft.format == "voc":
                thing.box[0] -= 1
                thing.box[1] -= 1
    draft.write()
    draft.expect(kind, *draft.sample.objects)


def _fractions(box: list[float], size: Size) -> list[float]:
    height, width = size
    return [round(value / side, 6) for value, side in zip(box, (width, height) * 2, strict=True)]


@damage("coordinates-fractions", PIXELS)
def fractions(draft: Draft) -> None:
    _change_all(draft, "coordinates-fractions", _fractions)


def small_boxes(draft: Draft) -> None:
    """Boxes near the upper left corner, up to 100 pixels, in a few photos only."""
    for index in range(6):
        draft.thing(index).move_to([2, 3, 40, 30])
    draft.write()


@damage("coordinates-percent", PIXELS, twin=small_boxes)
def percentages(draft: Draft) -> None:
    _change_all(
        draft, "coordinates-percent", lambda box, size: [100 * value for value in _fractions(box, size)]
    )


@damage("coordinates-percent, in YOLO", ["yolo"])
def percentages_in_yolo(draft: Draft) -> None:
    _change_all(draft, "coordinates-percent", lambda box, size: [100 * value for value in box])


@damage("coordinates-pixels", ["yolo"])
def pixels(draft: Draft) -> None:
    def as_pixels(box: list[float], size: Size) -> list[float]:
        height, width = size
        return [value * side for value, side in zip(box, (width, height) * 2, strict=True)]

    _change_all(draft, "coordinates-pixels", as_pixels)


@damage("coordinates-unclear", ["yolo"])
def percent_or_pixels(draft: Draft) -> None:
    """Numbers up to 60: pixels of thumbnails, percent, or pixels of the photos."""
    _change_all(draft, "coordinates-unclear", lambda box, size: [60 * value for value in box])


@damage("coordinates-corners", ["coco", "via", "createml"])
def corners(draft: Draft) -> None:
    def as_extents(box: list[float], size: Size) -> list[float]:
        x1, y1, x2, y2 = box
        if draft.format == "createml":  # x and y are those of the center
            return [x1 - x2 / 2, y1 - y2 / 2, x1 + x2 / 2, y1 + y2 / 2]
        return [x1, y1, x1 + x2, y1 + y2]

    for photo in draft.sample.photos:
        for thing in photo.objects:
            thing.box = as_extents(thing.box, photo.size)
    draft.write()
    draft.expect("coordinates-corners", *draft.sample.objects)


@damage("coordinates-corners, in YOLO", ["yolo"])
def corners_in_yolo(draft: Draft) -> None:
    def as_centers(box: list[float], size: Size) -> list[float]:
        x1, y1, x2, y2 = box
        return [x1 - x2 / 2, y1 - y2 / 2, x1 + x2 / 2, y1 + y2 / 2]

    _change_all(draft, "coordinates-corners", as_centers)


@damage("coordinates-exchanged", BOXES)
def exchanged(draft: Draft) -> None:
    def exchange(box: list[float], size: Size) -> list[float]:
        x1, y1, x2, y2 = box
        height, width = size
        if draft.format in ("yolo", "label-studio"):  # fractions are exchanged
            return [y1 / height * width, x1 / width * height, y2 / height * width, x2 / width * height]
        return [y1, x1, y2, x2]

    _change_all(draft, "coordinates-exchanged", exchange)


@damage("coordinates-scaled", PIXELS)
def scaled(draft: Draft) -> None:
    _change_all(draft, "coordinates-scaled", lambda box, size: [2 * value for value in box])


@damage("boxes-identical", BOXES)
def identical(draft: Draft) -> None:
    for photo in draft.sample.photos:
        del photo.objects[1:]

    def placeholder(box: list[float], size: Size) -> list[float]:
        height, width = size
        in_fractions = [0.2 * width, 0.2 * height, 0.5 * width, 0.6 * height]
        return in_fractions if draft.format == "yolo" else [40, 30, 120, 110]

    _change_all(draft, "boxes-identical", placeholder)


@damage("coordinates-scaled, made on small copies", PIXELS)
def scaled_down(draft: Draft) -> None:
    _change_all(draft, "coordinates-scaled", lambda box, size: [0.45 * value for value in box])
    draft.allow("coordinates-percent", "boxes-upper-left")


@damage("boxes-upper-left", BOXES)
def upper_left(draft: Draft) -> None:
    """Boxes that keep away from all edges: if they were only scaled, it would be certain that they are."""
    _change_all(draft, "boxes-upper-left", lambda box, size: [12 + 0.4 * value for value in box])
    draft.allow("coordinates-percent")


@damage("boxes-count-from-zero", ["voc"])
def count_from_zero(draft: Draft) -> None:
    for photo in draft.sample.photos:
        for thing in photo.objects:
            thing.box = [thing.box[0] - 1, thing.box[1] - 1, thing.box[2] - 1, thing.box[3] - 1]
    touching = [draft.thing(1), draft.thing(4)]
    for thing in touching:
        thing.box[0] = -1
    draft.write()
    draft.expect("boxes-count-from-zero", *touching)


CORNERS = ("voc", "csv", "cvat")
UPPER_LEFT = ("coco", "via", "label-studio")
CENTERS = ("createml", "yolo")


@damage("coordinates-sizes", CORNERS)
def sizes_for_corners(draft: Draft) -> None:
    def as_sizes(box: list[float], size: Size) -> list[float]:
        x1, y1, x2, y2 = box
        return [x1, y1, x2 - x1, y2 - y1]

    for photo in draft.sample.photos:
        for thing in photo.objects:
            thing.box = as_sizes(thing.box, photo.size)
    draft.write()
    draft.expect("coordinates-sizes", *draft.sample.objects)


@damage("coordinates-sizes, from the center", CORNERS)
def centers_for_corners(draft: Draft) -> None:
    for thing in draft.sample.objects:
        x1, y1, x2, y2 = thing.box
        thing.box = [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]
    draft.write()
    draft.expect("coordinates-sizes", *draft.sample.objects)


@damage("coordinates-centers", UPPER_LEFT)
def centers_for_upper_left(draft: Draft) -> None:
    for thing in draft.sample.objects:
        across, down = thing.width / 2, thing.height / 2
        x1, y1, x2, y2 = thing.box
        thing.box = [x1 + across, y1 + down, x2 + across, y2 + down]
    draft.write()
    draft.expect("coordinates-centers", *draft.sample.objects)


@damage("coordinates-upper-left", CENTERS)
def upper_left_for_centers(draft: Draft) -> None:
    for thing in draft.sample.objects:
        across, down = thing.width / 2, thing.height / 2
        x1, y1, x2, y2 = thing.box
        thing.box = [x1 - across, y1 - down, x2 - across, y2 - down]
    draft.write()
    draft.expect("coordinates-upper-left", *draft.sample.objects)
