"""Entries that cannot be read, ids that are unknown or given twice, shapes without an area."""

from __future__ import annotations

from damaged_data.damage import BOXES, damage
from damaged_data.draft import Draft

_WITHOUT_A_SIDE = {
    "coco": (r'"bbox": \[\s*[^,]+,', '"bbox": ['),
    "voc": (r"\n\s*<ymax>[^<]*</ymax>", ""),
    "yolo": (r" \S+$", ""),
    "labelme": (r',\s*\[[^]]*\]\s*\],\s*"group_id"', '],\n   "group_id"'),
    "via": (r'"width": [^,]+,', ""),
    "cvat": (r'ybr="[^"]*"', ""),
    "label-studio": (r'"width": [^,]+,(?=\s*"height")', ""),
    "csv": (r",[^,]*$", ""),
    "createml": (r'"width": [^,]+,', ""),
}
_WITH_LETTERS = {
    "coco": (r'"bbox": \[\s*[^,]+,', '"bbox": [\n    "left",'),
    "voc": (r"<ymax>[^<]*</ymax>", "<ymax>bottom</ymax>"),
    "yolo": (r" \S+$", " 0,25x"),
    "labelme": (r'"points": \[\s*\[\s*[^,]+,', '"points": [\n    [\n     "left",'),
    "via": (r'"width": [^,]+,', '"width": "wide",'),
    "cvat": (r'ybr="[^"]*"', 'ybr="bottom"'),
    "label-studio": (r'"width": [^,]+,(?=\s*"height")', '"width": "wide",'),
    "csv": (r",[^,]*$", ",bottom"),
    "createml": (r'"width": [^,]+,', '"width": "wide",'),
}


def _edit_object(draft: Draft, edits: dict[str, tuple[str, str]], kind: str = "entry-unreadable") -> None:
    thing = draft.thing(2)
    draft.write()
    draft.edit(thing, *edits[draft.format])
    draft.expect(kind, thing)


@damage("entry-unreadable, a number missing", BOXES)
def number_missing(draft: Draft) -> None:
    _edit_object(draft, _WITHOUT_A_SIDE)


@damage("entry-unreadable, letters for a number", BOXES)
def letters(draft: Draft) -> None:
    _edit_object(draft, _WITH_LETTERS)


_WITHOUT_CLASS = {
    "coco": (r'"category_id": [^,]+,', ""),
    "voc": (r"\n\s*<name>[^<]*</name>", ""),
    "labelme": (r'"label": "[^"]*"', '"label": null'),
    "via": (r'"class": "[^"]*"', ""),
    "cvat": (r'label="[^"]*"', ""),
    "label-studio": (r'"rectanglelabels": \[[^]]*\]', '"rectanglelabels": []'),
    "csv": (r"^([^,]*,[^,]*,[^,]*),[^,]*", r"\1,"),
    "createml": (r'"label": "[^"]*"', '"label": ""'),
}


@damage("entry-unreadable, no class", list(_WITHOUT_CLASS))
def without_class(draft: Draft) -> None:
    _edit_object(draft, _WITHOUT_CLASS)


@damage("shape-unsupported, a point", ["labelme", "via", "cvat", "label-studio"])
def point(draft: Draft) -> None:
    thing = draft.thing(2)
    thing.shape, thing.outline = "point", thing.outline[:1]
    draft.write()
    draft.expect("shape-unsupported", thing)


@damage("shape-unsupported, a line", ["labelme", "via", "cvat"])
def line(draft: Draft) -> None:
    thing = draft.thing(2)
    thing.shape, thing.outline = "line", thing.outline[:2]
    draft.write()
    draft.expect("shape-unsupported", thing)


@damage("class-unknown", ["yolo"])
def index_without_name(draft: Draft) -> None:
    thing = draft.thing(2)
    draft.write()
    draft.edit(thing, r"^\d+", "7")
    draft.expect("class-unknown", thing)


@damage("id-unknown, a photo", ["coco"])
def unknown_photo(draft: Draft) -> None:
    thing = draft.thing(2)
    draft.write()
    draft.edit(thing, r'"image_id": \d+', '"image_id": 987654')
    draft.expect("id-unknown", thing)


@damage("id-unknown, a class", ["coco"])
def unknown_class(draft: Draft) -> None:
    thing = draft.thing(2)
    draft.write()
    draft.edit(thing, r'"category_id": \d+', '"category_id": 77')
    draft.expect("id-unknown", thing)


def _id_of(draft: Draft, part: object) -> str:
    place = draft.places[part]
    lines = (draft.folder / place.file).read_text(encoding="utf-8").split("\n")
    return next(line for line in lines[(place.first or 1) - 1 :] if '"id"' in line).strip(" ,")


@damage("id-repeated, photos", ["coco"])
def photo_id_repeated(draft: Draft) -> None:
    first, second = draft.photo(2), draft.photo(3)
    draft.write()
    draft.edit(second, r'"id": \d+', _id_of(draft, first))
    draft.expect("id-repeated", first, second)
    draft.allow("id-unknown", "box-beyond-edge", "box-outside", "outline-outside")


@damage("id-repeated, classes", ["coco"])
def class_id_repeated(draft: Draft) -> None:
    draft.write()
    draft.edit("stick", r'"id": \d+', _id_of(draft, "hook"))
    draft.expect("id-repeated", "hook", "stick")
    draft.allow("id-unknown", "class-missing-in-split")


@damage("annotation-id-repeated", ["coco"])
def annotation_id_repeated(draft: Draft) -> None:
    first, second = draft.thing(2), draft.thing(3)
    draft.write()
    draft.edit(second, r'"id": \d+', _id_of(draft, first))
    draft.expect("annotation-id-repeated", first, second)
