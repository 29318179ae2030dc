"""Outlines: unreadable, crossing themselves, beside their boxes, outside their photos."""

from __future__ import annotations

import json

import numpy as np
from hotcoco import mask as rle

from damaged_data.damage import OUTLINES, damage
from damaged_data.draft import Draft
from damaged_data.sample import Object, Photo, Points


def with_outlines(draft: Draft) -> None:
    """A sound data set with polygons, where the format chooses between boxes and polygons."""
    _use_outlines(draft)
    draft.write()


def _use_outlines(draft: Draft) -> None:
    for thing in draft.sample.objects:
        thing.shape = "polygon"


@damage("outline-self-crossing", OUTLINES, twin=with_outlines)
def self_crossing(draft: Draft) -> None:
    _use_outlines(draft)
    thing = draft.thing(2)
    x1, y1, x2, y2 = thing.box
    thing.outline = [(x1, y1), (x2, y2), (x2, y1), (x1, (y1 + 2 * y2) / 3)]
    draft.write()
    draft.expect("outline-self-crossing", thing)


@damage("outline-few-points", ["coco", "labelme", "via", "cvat", "label-studio"], twin=with_outlines)
def two_points(draft: Draft) -> None:
    _use_outlines(draft)
    thing = draft.thing(2)
    thing.outline = [(thing.box[0], thing.box[1]), (thing.box[2], thing.box[3])]
    draft.write()
    draft.expect("outline-few-points", thing)


_BROKEN = {
    "coco": (r'"segmentation": \[\s*\[\s*[^,]+,', '"segmentation": [["a",'),
    "labelme": (r'"points": \[\s*\[[^]]*\]', '"points": [["a", "b"]'),
    "via": (r'"all_points_x": \[\s*[^,]+,', '"all_points_x": ['),
    "cvat": (r'points="[^;]*;', 'points="a,b;'),
    "label-studio": (r'"points": \[\s*\[[^]]*\]', '"points": [["a", "b"]'),
    "yolo": (r" \S+$", ""),
}


@damage("outline-unreadable", OUTLINES, twin=with_outlines)
def unreadable(draft: Draft) -> None:
    _use_outlines(draft)
    thing = draft.thing(2)
    if draft.format == "yolo":  # one number less must not be the length of a line with keypoints
        x1, y1, _, y2 = thing.box
        across = [x1 + share * thing.width for share in (0, 0.3, 0.7, 1)]
        thing.outline = [*((x, y1) for x in across), *((x, y2) for x in reversed(across))]
    draft.write()
    draft.edit(thing, *_BROKEN[draft.format])
    # COCO's entries also have a box. In the other formats, the outline is the whole entry.
    draft.expect("outline-unreadable" if draft.format == "coco" else "entry-unreadable", thing)


@damage("outline-empty", OUTLINES, twin=with_outlines)
def without_area(draft: Draft) -> None:
    _use_outlines(draft)
    thing = draft.thing(2)
    x1, y1, x2, y2 = thing.box
    thing.outline = [(x1, y1), ((x1 + x2) / 2, (y1 + y2) / 2), (x2, y2)]
    draft.write()
    draft.expect("outline-empty", thing)


@damage("outline-outside", OUTLINES, twin=with_outlines)
def beyond_edge(draft: Draft) -> None:
    _use_outlines(draft)
    photo = draft.photo(2)
    thing, width = photo.objects[0], photo.size[1]
    box = list(thing.box)
    thing.move_to([width - 30, box[1], width + 25, box[3]])
    if draft.format == "coco":
        thing.box[2] = width
    draft.write()
    draft.expect("outline-outside", thing)


@damage("outline-misfits-box", ["coco"])
def beside_its_box(draft: Draft) -> None:
    photo = draft.choose(lambda photo: photo.objects[0].box[2] < 120)
    thing = photo.objects[0]
    thing.outline = [(x + 0.6 * thing.width, y) for x, y in thing.outline]
    draft.write()
    draft.expect("outline-misfits-box", thing)


@damage("outline-misfits-box, outlines of two objects exchanged", ["coco"])
def exchanged_outlines(draft: Draft) -> None:
    photo = draft.choose(lambda photo: len(photo.objects) > 1)
    first, second = photo.objects[:2]
    first.outline, second.outline = second.outline, first.outline
    draft.write()
    draft.expect("outline-misfits-box", first)
    draft.expect("outline-misfits-box", second)


@damage("area-wrong", ["coco"])
def wrong_area(draft: Draft) -> None:
    thing = draft.thing(2)
    draft.write()
    draft.edit(thing, r'"area": [^,]+,', f'"area": {round(40 * thing.width * thing.height)},')
    draft.expect("area-wrong", thing)


def _ring(draft: Draft) -> tuple[Photo, Object]:
    """An object that is drawn as a rectangle with a hole."""
    photo = draft.choose(lambda photo: min(photo.objects[0].width, photo.objects[0].height) > 24)
    thing = photo.objects[0]
    x1, y1, x2, y2 = thing.box
    thing.outline = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
    return photo, thing


def _inner(thing: Object) -> Points:
    x1, y1, x2, y2 = thing.box
    return [(x1 + 8, y1 + 8), (x2 - 8, y1 + 8), (x2 - 8, y2 - 8), (x1 + 8, y2 - 8)]


def two_parts(draft: Draft) -> None:
    """An object of two parts side by side."""
    _, thing = _ring(draft)
    x1, y1, x2, y2 = thing.box
    middle = (x1 + x2) / 2
    thing.outline = [(x1, y1), (middle - 2, y1), (middle - 2, y2), (x1, y2)]
    thing.holes = [[(middle + 2, y1), (x2, y1), (x2, y2), (middle + 2, y2)]]
    draft.write()
    area = (x2 - x1 - 4) * (y2 - y1)
    if draft.format == "coco":
        draft.edit(thing, r'"area": [^,]+,', f'"area": {area},')


@damage("hole-lost", ["coco"], twin=two_parts)
def lost_hole(draft: Draft) -> None:
    _, thing = _ring(draft)
    thing.holes = [_inner(thing)]
    draft.write()
    draft.expect("hole-lost", thing)


def _run_lengths(photo: Photo, thing: Object, is_empty: bool = False, turned: bool = False) -> str:
    mask = np.zeros(photo.size, np.uint8)
    if not is_empty:
        x1, y1, x2, y2 = map(int, thing.box)
        mask[y1:y2, x1:x2] = 1
    packed = rle.encode(np.asfortranarray(mask.T if turned else mask))
    return json.dumps({"size": list(packed["size"]), "counts": packed["counts"].decode("ascii")})


def _use_run_lengths(draft: Draft, is_empty: bool, turned: bool) -> Object:
    photo, thing = draft.photo(2), draft.thing(2)
    draft.write()
    runs = _run_lengths(photo, thing, is_empty, turned)
    area = 0 if is_empty else int(thing.width) * int(thing.height)
    draft.edit(thing, r'"area": [^,]+,', f'"area": {area},')
    draft.edit(thing, r'"segmentation":.*\]', f'"segmentation": {runs}'.replace("\\", r"\\"))
    return thing


def sound_run_lengths(draft: Draft) -> None:
    _use_run_lengths(draft, is_empty=False, turned=False)


@damage("outline-wrong-size", ["coco"], twin=sound_run_lengths)
def run_lengths_of_another_size(draft: Draft) -> None:
    draft.expect("outline-wrong-size", _use_run_lengths(draft, is_empty=False, turned=True))


@damage("outline-empty, run lengths", ["coco"], twin=sound_run_lengths)
def empty_run_lengths(draft: Draft) -> None:
    draft.expect("outline-empty", _use_run_lengths(draft, is_empty=True, turned=False))
