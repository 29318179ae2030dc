"""Classes: misspelled, shifted by one, missing from a split, rare."""

from __future__ import annotations

import copy
import re
import unicodedata
from pathlib import PurePosixPath

from damaged_data.damage import ALL_FORMATS, BOXES, WITH_SPLITS, damage
from damaged_data.draft import Draft
from damaged_data.sample import Object, Photo, Place

WITH_BACKGROUND = tuple(name for name in BOXES if name != "csv")


def _rename(draft: Draft, old: str, new: str) -> None:
    names = draft.sample.class_names
    names[names.index(old)] = new
    for thing in draft.sample.objects:
        if thing.name == old:
            thing.name = new


def two_animals(draft: Draft) -> None:
    """Two short names that differ in a letter, and both have many objects."""
    _rename(draft, "ring", "cat")
    _rename(draft, "hook", "bat")
    draft.write()


def _expect_class(draft: Draft, kind: str, *names: str) -> None:
    """A finding must name where one of the classes is listed, or an object of it."""
    listed = [name for name in names if name in draft.places]
    things: list[Object | Photo] = [
        thing if thing in draft.places else draft.sample.photo_of(thing)
        for thing in draft.sample.objects
        if thing.name in names
    ]
    files = [Place(draft.places[thing].file) for thing in things]
    files += [Place("data.yaml"), Place("classes.txt")] * (draft.format == "yolo")
    if draft.format == "class-folders":
        files += [Place(str(PurePosixPath(place.file).parent)) for place in files]
    draft.expect(kind, *listed, *things, *files)


def _first_in_a_photo(draft: Draft, name: str) -> Object:
    """An object that also decides the class of its photo."""
    return next(photo.objects[0] for photo in draft.sample.photos if photo.objects[0].name == name)


@damage("class-names-similar", ALL_FORMATS, twin=two_animals)
def misspelled(draft: Draft) -> None:
    _rename(draft, "hook", "banana")
    _first_in_a_photo(draft, "banana").name = "banan"
    draft.write()
    _expect_class(draft, "class-names-similar", "banana", "banan")
    draft.allow("class-missing-in-split", "class-rare", "class-imbalance")


@damage("class-name-spellings", (*BOXES, "class-folders"), twin=two_animals)
def spelled_differently(draft: Draft) -> None:
    """Spaces around a name, or where a format does not keep them, another Unicode form."""
    names = ("crème", unicodedata.normalize("NFD", "crème"))
    if draft.format not in ("voc", "csv", "yolo"):
        names = ("hook", "hook ")
    _rename(draft, "hook", names[0])
    _first_in_a_photo(draft, names[0]).name = names[1]
    draft.write()
    _expect_class(draft, "class-name-spellings", *names)
    draft.allow("class-missing-in-split", "class-rare", "class-imbalance")


@damage("class-count-differs", ["yolo"])
def another_count(draft: Draft) -> None:
    draft.write()
    path = draft.folder / "data.yaml"
    path.write_text(path.read_text().replace("nc: 3", "nc: 4"))
    draft.expect("class-count-differs", Place("data.yaml"))


@damage("class-shift", ["yolo"])
def counted_from_one(draft: Draft) -> None:
    draft.write()
    for path in (draft.folder / "labels").rglob("*.txt"):
        lines = path.read_text().splitlines()
        path.write_text("".join(re.sub(r"^\d+", lambda i: str(int(i[0]) + 1), line) + "\n" for line in lines))
    files = [Place(draft.places[photo].file) for photo in draft.sample.photos]
    draft.expect("class-shift", Place("data.yaml"), *files)


@damage("class-shift, in COCO", ["coco"])
def category_ids_counted_from_zero(draft: Draft) -> None:
    draft.write()
    for path in (draft.folder / "annotations").glob("*.json"):
        text = path.read_text()
        path.write_text(re.sub(r'"category_id": (\d+)', lambda i: f'"category_id": {int(i[1]) - 1}', text))
    files = [Place(f"annotations/instances_{split}.json") for split in ("train", "val", "test")]
    draft.expect("class-shift", *files)


@damage("class-missing-in-split", (*WITH_SPLITS, "label-maps"))
def missing_in_test(draft: Draft) -> None:
    for photo in draft.sample.of_split("test"):
        for thing in photo.objects:
            thing.name = "hook" if thing.name == "stick" else thing.name
    draft.write()
    draft.expect("class-missing-in-split", *_any_label_file(draft))
    draft.allow("class-imbalance")


def _any_label_file(draft: Draft) -> list[Place]:
    """A class that is missing has no place: the data set, or any of its label files."""
    files = dict.fromkeys(place.file for place in draft.places.values())
    return [Place(""), *(Place(file) for file in files)]


@damage("class-empty", ["coco", "yolo", "cvat", "label-maps"])
def without_objects(draft: Draft) -> None:
    draft.sample.class_names.append("spiral")
    draft.write()
    draft.expect("class-empty", "spiral", *_any_label_file(draft))


@damage("class-rare", ALL_FORMATS)
def with_one_object(draft: Draft) -> None:
    draft.thing(2).name = "spiral"
    draft.write()
    draft.expect("class-rare", *_any_label_file(draft))
    draft.allow("class-missing-in-split", "class-imbalance")


def three_to_one(draft: Draft) -> None:
    sticks = [thing for thing in draft.sample.objects if thing.name == "stick"]
    for thing in sticks[::2]:
        thing.name = "hook"
    draft.write()


@damage("class-imbalance", (*BOXES, "label-maps"), twin=three_to_one)
def imbalanced(draft: Draft) -> None:
    for photo in draft.sample.photos:
        for thing in photo.objects:
            thing.name = "hook"
        for thing in photo.objects[:]:
            photo.objects.append(_beside(thing, photo.size))
    for split in ("train", "val", "test"):
        draft.photo(0, split).objects[0].name = "ring"
        draft.photo(1, split).objects[0].name = "stick"
    draft.write()
    draft.expect("class-imbalance", *_any_label_file(draft))
    draft.allow("class-rare", "class-missing-in-split")


def _beside(thing: Object, size: tuple[int, int]) -> Object:
    """Another object, mirrored to the other side of the photo and a little smaller."""
    mirrored = copy.deepcopy(thing)
    x1, y1, x2, y2 = thing.box
    mirrored.move_to([size[1] - x2 + 3, y1 + 2, size[1] - x1 - 3, y2 - 2])
    return mirrored


def few_without_objects(draft: Draft) -> None:
    for photo in draft.sample.photos[::10]:
        photo.objects.clear()
    draft.write()


@damage("background-share", WITH_BACKGROUND, twin=few_without_objects)
def mostly_background(draft: Draft) -> None:
    for index, photo in enumerate(draft.sample.photos):
        if index % 6:
            photo.objects.clear()
    draft.write()
    draft.expect("background-share", *_any_label_file(draft))
    draft.allow("class-rare", "class-missing-in-split", "class-imbalance", "class-empty")


@damage("class-undeclared", ["cvat"])
def not_among_the_labels(draft: Draft) -> None:
    draft.write()
    thing = draft.thing(2)
    draft.edit(thing, r'label="[^"]*"', 'label="lamp"')
    draft.expect("class-undeclared", thing)
    draft.allow("class-missing-in-split")
