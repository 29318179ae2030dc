"""Files: cut off, missing, named in another way, in two places, beside the data set."""

from __future__ import annotations

import unicodedata

from PIL import ImageOps

from damaged_data.damage import ALL_FORMATS, BOXES, damage
from damaged_data.damages.photos import changed
from damaged_data.draft import Draft
from damaged_data.sample import Photo, Place

BY_NAME = ("coco", "voc", "labelme", "via", "cvat", "label-studio", "csv", "createml")
"""The formats whose labels give the names of photos."""


def _if_only_file(draft: Draft) -> tuple[str, ...]:
    """What follows if all labels were in the damaged file."""
    return ("data-unreadable", "labels-missing") if draft.format in ("cvat", "label-studio") else ()


def _label_path(draft: Draft, photo: Photo) -> Place:
    return Place(draft.places[photo].file)


@damage("file-unreadable, cut off", [name for name in BOXES if name not in ("yolo", "csv")])
def cut_off(draft: Draft) -> None:
    photo = draft.photo(2)
    draft.write()
    path = draft.folder / draft.places[photo].file
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.7)])
    draft.expect("file-unreadable", _label_path(draft, photo))
    draft.allow("photo-without-label", "class-missing-in-split", "file-unused", *_if_only_file(draft))


@damage("file-unreadable, empty", [name for name in BOXES if name != "yolo"])
def empty(draft: Draft) -> None:
    photo = draft.photo(2)
    draft.write()
    (draft.folder / draft.places[photo].file).write_bytes(b"")
    draft.expect("file-unreadable", _label_path(draft, photo))
    draft.allow("photo-without-label", "file-unused", "class-missing-in-split", *_if_only_file(draft))


@damage("file-unreadable, not text", BOXES)
def not_text(draft: Draft) -> None:
    photo = draft.photo(2)
    draft.write()
    (draft.folder / draft.places[photo].file).write_bytes(bytes(range(256)) * 4)
    draft.expect("file-unreadable", _label_path(draft, photo))
    draft.allow("photo-without-label", "entry-unreadable", "file-unused", "class-missing-in-split")
    draft.allow(*_if_only_file(draft))


@damage("photo-missing", BOXES)
def photo_missing(draft: Draft) -> None:
    photo = draft.photo(2)
    draft.write()
    draft.path(photo).unlink()
    draft.expect("photo-missing", photo)


@damage("name-inexact, another case", (*BY_NAME, "label-maps"))
def another_case(draft: Draft) -> None:
    photo = draft.photo(2)
    draft.write()
    path = draft.path(photo)
    path.rename(path.with_name(photo.file_name.lower()))
    draft.expect("name-inexact", photo)


@damage("photo-ambiguous", ["coco", "voc", "via", "cvat", "label-studio", "csv", "createml"])
def ambiguous(draft: Draft) -> None:
    """The same name in two folders, and the labels do not say which. The photos differ."""
    photo, other = draft.photo(2), draft.photo(5)
    draft.write()
    draft.path(photo).unlink()
    folder = draft.folder / "pictures"
    for name, source in (("a", photo.source), ("b", other.source)):
        (folder / name).mkdir(parents=True)
        (folder / name / photo.file_name).write_bytes(source.read_bytes())
    draft.expect(
        "photo-ambiguous", photo, *([draft.places["listed", photo]] if draft.format == "voc" else [])
    )
    draft.allow("photo-copies", "file-unused", "photo-without-label", "photo-missing")


@damage("photo-listed-twice", ["coco", "voc", "labelme", "via", "cvat", "label-studio", "createml"])
def listed_twice(draft: Draft) -> None:
    """Two entries or label files name the same photo."""
    photo = draft.photo(2)
    twin = photo.copied(f"{photo.stem}_2")
    twin.name = photo.file_name
    draft.sample.photos.insert(draft.sample.photos.index(photo) + 1, twin)
    draft.write()
    draft.path(twin).unlink()
    draft.expect("photo-listed-twice", photo, twin)
    draft.allow("name-inexact", "box-repeated")
    if draft.format == "voc":  # the lists of its splits name the second label file
        draft.allow("photo-missing")


@damage("label-file-shared", ["yolo", "label-maps"])
def shared_label_file(draft: Draft) -> None:
    """Two photos that differ in their suffix only share a label file."""
    photo, other = draft.photo(2), draft.photo(5)
    draft.write()
    twin = Photo(photo.stem, photo.split, other.size, [], other.source, suffix=".jpeg")
    twin.content = changed(other, ImageOps.flip)
    draft.write_photo(twin)
    kind = "photo-ambiguous" if draft.format == "label-maps" else "label-file-shared"
    draft.expect(kind, _label_path(draft, photo), Place(draft.file(photo)), Place(draft.file(twin)))
    draft.allow("copies-labeled-differently")  # the other photo is there, too, not flipped


@damage("photo-without-label", BOXES)
def without_label(draft: Draft) -> None:
    photo = draft.photo(2)
    twin = photo.copied("IMG_extra")
    draft.write()
    twin.content = changed(draft.photo(5), ImageOps.flip)
    draft.write_photo(twin)
    draft.expect("photo-without-label", Place(draft.file(twin)))
    draft.allow("copies-labeled-differently")  # the other photo is there, too, not flipped


def _two_of_one_class(draft: Draft) -> tuple[Photo, Photo]:
    """Class folders put photos of one class into the same folder."""
    photo, *others = draft.sample.of_split("train")[2:]
    return photo, next(other for other in others if other.objects[0].name == photo.objects[0].name)


@damage("path-collision, case", ALL_FORMATS)
def collision_of_case(draft: Draft) -> None:
    photo, other = _two_of_one_class(draft)
    other.stem = photo.stem.lower()
    draft.write()
    draft.expect("path-collision", Place(draft.file(photo)), Place(draft.file(other)), photo, other)
    draft.allow("name-inexact")


@damage("path-collision, Unicode form", ALL_FORMATS)
def collision_of_unicode(draft: Draft) -> None:
    photo, other = _two_of_one_class(draft)
    photo.stem = unicodedata.normalize("NFC", "café")
    other.stem = unicodedata.normalize("NFD", "café")
    draft.write()
    kind = "photo-ambiguous" if draft.format == "label-maps" else "path-collision"  # maps are found by name
    draft.expect(kind, Place(draft.file(photo)), Place(draft.file(other)), photo, other)
    draft.allow("name-inexact")


def class_in_utf8(draft: Draft) -> None:
    _use_accents(draft)
    draft.write()


def _use_accents(draft: Draft) -> None:
    draft.sample.class_names[1] = "crème"
    for thing in draft.sample.objects:
        thing.name = "crème" if thing.name == "hook" else thing.name


@damage("encoding-guessed", (*BOXES, "label-maps"), twin=class_in_utf8)
def another_encoding(draft: Draft) -> None:
    _use_accents(draft)
    draft.write()
    for file in sorted({place.file for place in draft.places.values()}):
        path = draft.folder / file
        if path.suffix == ".png":  # a label map
            continue
        text = path.read_text(encoding="utf-8")
        path.write_bytes(text.replace('encoding="utf-8"', "").encode("cp1252"))
    named = [thing for thing in draft.sample.objects if thing.name == "crème" and thing in draft.places]
    files = {draft.places[thing].file for thing in named}
    files |= {"yolo": {"data.yaml"}, "label-maps": {"classes.txt"}}.get(draft.format, set())
    draft.expect("encoding-guessed", *(Place(file) for file in sorted(files)))


@damage("file-unused", BOXES)
def stray_file(draft: Draft) -> None:
    photo = draft.photo(2)
    draft.write()
    """A second set of labels beside the first."""
    if draft.format == "coco":
        path = draft.folder / "annotations" / "old_train.json"
        path.write_bytes((draft.folder / draft.places[photo].file).read_bytes())
    else:
        path = draft.folder / "old_labels.csv"
        row = ",".join(map(str, [photo.file_name, *reversed(photo.size), "hook", 10, 10, 60, 50]))
        path.write_text(f"filename,width,height,class,xmin,ymin,xmax,ymax\n{row}\n")
    draft.expect("file-unused", Place(path.relative_to(draft.folder).as_posix()))


@damage("split-path-wrong", ["yolo"])
def split_of_another_folder(draft: Draft) -> None:
    draft.write()
    path = draft.folder / "data.yaml"
    path.write_text(path.read_text().replace("val: images/val", "val: images/validation"))
    draft.expect("split-path-wrong", Place("data.yaml", 2, 2))


@damage("split-path-wrong, all paths", ["yolo"])
def splits_of_another_computer(draft: Draft) -> None:
    draft.write()
    path = draft.folder / "data.yaml"
    path.write_text(path.read_text().replace(": images/", ": /content/photos/"))
    draft.expect("split-path-wrong", Place("data.yaml", 1, 1))


@damage("split-missing", ["yolo"])
def split_without_photos(draft: Draft) -> None:
    """As Roboflow exports data sets without test photos."""
    draft.sample.photos = [photo for photo in draft.sample.photos if photo.split != "test"]
    draft.write()
    draft.expect("split-missing", Place("data.yaml", 3, 3))


@damage("split-unnamed", ["yolo"])
def split_that_is_not_named(draft: Draft) -> None:
    draft.write()
    path = draft.folder / "data.yaml"
    path.write_text(path.read_text().replace("test: images/test\n", ""))
    draft.expect("split-unnamed", Place("data.yaml"))


@damage("split-overlap", ["coco", "voc", "csv", "yolo"])
def in_two_splits(draft: Draft) -> None:
    """The same photo is listed in training and test."""
    photo = draft.photo(2)
    draft.write()
    _LIST_TWICE[draft.format](draft, photo)
    draft.allow("photo-listed-twice")


def _list_in_coco(draft: Draft, photo: Photo) -> None:
    other = draft.photo(0, "test")
    draft.edit(other, r'"file_name": "[^"]*"', f'"file_name": "{photo.split}/{photo.file_name}"')
    draft.path(other).unlink()
    draft.expect("split-overlap", photo, other)
    draft.allow("size-differs", "box-beyond-edge", "box-outside", "name-inexact")
    draft.allow("outline-outside", "outline-misfits-box")


def _list_in_voc(draft: Draft, photo: Photo) -> None:
    path = draft.folder / "ImageSets" / "Main" / "test.txt"
    path.write_text(f"{path.read_text()}{photo.stem}\n")
    last = len(path.read_text().splitlines())
    draft.expect(
        "split-overlap", photo, draft.places["listed", photo], Place("ImageSets/Main/test.txt", last, last)
    )


def _list_in_csv(draft: Draft, photo: Photo) -> None:
    path = draft.folder / "test_labels.csv"
    row = ",".join(map(str, [f"train/{photo.file_name}", *reversed(photo.size), "hook", 10, 10, 60, 50]))
    path.write_text(f"{path.read_text()}{row}\n")
    last = len(path.read_text().splitlines())
    draft.expect("split-overlap", photo, Place("test_labels.csv", last, last))
    draft.allow("name-inexact")


def _list_in_yolo(draft: Draft, photo: Photo) -> None:
    settings = (draft.folder / "data.yaml").read_text()
    for split in ("train", "val", "test"):
        photos = [*draft.sample.of_split(split), *([photo] if split == "test" else [])]
        (draft.folder / f"{split}.txt").write_text("".join(f"./{draft.file(each)}\n" for each in photos))
        settings = settings.replace(f"{split}: images/{split}", f"{split}: {split}.txt")
    (draft.folder / "data.yaml").write_text(settings)
    last = len((draft.folder / "test.txt").read_text().splitlines())
    first = draft.sample.of_split("train").index(photo) + 1
    draft.expect(
        "split-overlap",
        photo,
        Place("test.txt", last, last),
        Place("train.txt", first, first),
        Place(draft.file(photo)),
    )


_LIST_TWICE = {"coco": _list_in_coco, "voc": _list_in_voc, "csv": _list_in_csv, "yolo": _list_in_yolo}
