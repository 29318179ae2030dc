"""A sample of the photos with all their labels, to look through."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from boxmask.data.findings import Box
from boxmask.doctor.page.objects import ClassInPhoto, ObjectFinder
from boxmask.doctor.page.painted_label_maps import Paint, find_paint
from boxmask.doctor.page.sample import sample_photos
from boxmask.doctor.page.views import View, labeled_view
from boxmask.doctor.report import CheckReport
from boxmask.pages.pictures import Album, Picture, make_album

MAX_PHOTOS = 60
"""Photos in the sample."""

MAX_BYTES = 4_000_000
"""All pictures of the sample together."""


@dataclass(frozen=True, slots=True)
class LabeledPicture:
    """A photo with its labels. hidden: the number of objects that are not drawn"""

    id: str
    file: str
    split: str
    view: View
    classes: tuple[ClassInPhoto, ...]
    hidden: int
    words: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A class or split to choose, with the number of photos of the sample that show it."""

    value: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Gallery:
    """A sample of the photos.

    total:     the number of labeled photos
    counted:   whether classes have counts
    colored:   whether the color of a class is that of its objects or pixels
    is_sample: whether photos were chosen
    """

    photos: tuple[LabeledPicture, ...]
    pictures: tuple[Picture, ...]
    total: int
    classes: tuple[Choice, ...]
    splits: tuple[Choice, ...]
    counted: bool
    colored: bool
    is_sample: bool


NO_OBJECT = "none"
"""In place of a class, for photos without objects."""


def make_gallery(report: CheckReport, finder: ObjectFinder | None, album: Album) -> Gallery | None:
    """A sample with photos of every class and split; None if no labeled photo can be shown.

    finder: None if there are no labels
    album:  the pictures that the page has already
    """
    if finder is None:
        return None
    chosen = sample_photos(finder.labels, MAX_PHOTOS)
    maps = _label_maps(report, finder, chosen)
    paint = find_paint(report, finder.colors) if maps else None
    shown, pictures = _pictures(report.root, finder, chosen, maps, album, paint)
    photos = []
    for index in sorted(chosen):
        file = finder.labels.photos[index].file
        if file in shown.photos and (index not in maps or maps[index] in shown.photos):
            overlay = shown.photos[maps[index]].whole if index in maps else None
            photos.append(_labeled_picture(report, finder, index, shown, overlay))
    if not photos:
        return None
    return Gallery(
        tuple(photos),
        pictures,
        len(finder.labels.photos),
        _classes(photos),
        _splits(photos),
        report.label_kind == "objects",
        report.label_kind == "objects" or paint is not None,
        len(finder.labels.photos) > MAX_PHOTOS or shown.is_full,
    )


def _label_maps(report: CheckReport, finder: ObjectFinder, chosen: list[int]) -> dict[int, str]:
    """The label maps of the chosen photos, relative to the root."""
    if report.label_kind != "label maps":
        return {}
    files = {index: Path(finder.labels.photos[index].location.file) for index in chosen}
    return {
        index: file.relative_to(report.root).as_posix()
        for index, file in files.items()
        if file.is_relative_to(report.root)
    }


def _pictures(
    root: Path,
    finder: ObjectFinder,
    chosen: list[int],
    maps: dict[int, str],
    album: Album,
    paint: Paint | None,
) -> tuple[Album, tuple[Picture, ...]]:
    """Pictures of the chosen photos and their label maps, and those of them that are new to the page."""
    files = [file for index in chosen for file in (finder.labels.photos[index].file, maps.get(index)) if file]
    drawn = set(maps.values())
    missing: dict[str, list[Box]] = {file: [] for file in files if file not in album.photos or file in drawn}
    added = make_album(root, missing, drawn, MAX_BYTES, "labeled", paint)
    both = Album({**album.photos, **added.photos}, added.unreadable, added.is_full)
    return both, tuple(added.pictures())


def _labeled_picture(
    report: CheckReport, finder: ObjectFinder, index: int, shown: Album, overlay: Picture | None
) -> LabeledPicture:
    photo = finder.labels.photos[index]
    pictures = shown.photos[photo.file]
    objects = finder.objects(index, pictures.size) if report.label_kind == "objects" else ()
    hidden = finder.count(index) - len(objects) if report.label_kind == "objects" else 0
    classes = finder.classes(index)
    view = labeled_view(pictures, objects, overlay)
    return LabeledPicture(
        f"labels-{index}",
        photo.file,
        photo.split or "",
        view,
        classes,
        hidden,
        _words(report, photo.file, classes),
    )


def _words(report: CheckReport, file: str, classes: tuple[ClassInPhoto, ...]) -> str:
    """What the picture shows: "a.jpg: 2 cat, 1 dog"."""
    if report.label_kind == "objects":
        counts = ", ".join(f"{each.count:,} {each.name}" for each in classes)
    else:
        counts = ", ".join(each.name for each in classes)
    return f"{file}: {counts or 'no object'}"


def _classes(photos: list[LabeledPicture]) -> tuple[Choice, ...]:
    names = {each.label: each.name for photo in photos for each in photo.classes}
    numbers = Counter(each.label for photo in photos for each in photo.classes)
    choices = [Choice(str(label), names[label], numbers[label]) for label in sorted(names)]
    empty = sum(not photo.classes for photo in photos)
    return (*choices, *([Choice(NO_OBJECT, "No object", empty)] if empty else []))


def _splits(photos: list[LabeledPicture]) -> tuple[Choice, ...]:
    numbers = Counter(photo.split for photo in photos)
    return tuple(Choice(split, split or "in no split", number) for split, number in numbers.items())
