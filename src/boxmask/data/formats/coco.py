"""COCO JSON (Lin et al., "Microsoft COCO: Common Objects in Context", arXiv 1405.0312): one file, or several.

A box is (x, y, width, height) in continuous pixels from the photo's upper left corner; where there is none,
it is that of the outline (see `coco_outlines`). Numbers of images and
categories may have holes and begin anywhere. Images without annotations are photos without objects, and
categories without annotations are classes; what makes a class is its name. The name of a file, or of its
folder, may say which split it is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from boxmask.data.formats.coco_document import Document, read_document
from boxmask.data.formats.coco_outlines import outline_reader
from boxmask.data.formats.find_photo import PhotoFinder
from boxmask.data.formats.labels import LabeledPhoto, Labels, left_out_photos
from boxmask.data.formats.source import Source
from boxmask.data.messages import format_errors, format_note
from boxmask.errors import LabelError

NAME = "COCO JSON (one file, or a folder with one or several)"

_NO_BOX = [np.nan] * 4
_OPENING = re.compile(rb'\s*\{.*?"(info|licenses|images|annotations|categories)"\s*:', re.DOTALL)


def recognize(source: Source) -> list[str]:
    """The JSON files that begin like COCO's; only those called instances*, where there are such files."""
    files = _coco_files(source)
    return [file for file in files if file.rpartition("/")[2].startswith("instances")] or files


def _coco_files(source: Source) -> list[str]:
    return [file for file in source.chosen_with(".json") if _begins_like_coco(source, file)]


def _begins_like_coco(source: Source, file: str) -> bool:
    with (source.root / file).open("rb") as stream:
        return _OPENING.match(stream.read(4096).removeprefix(b"\xef\xbb\xbf")) is not None


def read(source: Source, files: Sequence[str]) -> Labels:
    """Read the files and find their photos.

    Raises LabelError, with file, number and line, for broken JSON, numbers of images or categories that are
    unknown or given twice, and photos that are missing or listed twice.
    """
    finder = PhotoFinder(source)
    documents = [read_document(source.root, file) for file in files]
    for document in documents:
        _check_numbers(document)
    photos = {document.file: _photos_of(document, finder, source) for document in documents}
    documents, notes = _without_overviews(documents, photos)
    _refuse_repeats(documents, photos)
    listed = [photo for document in documents for photo in photos[document.file]]
    others = sorted(set(_coco_files(source)) - set(files))
    notes += format_note(f"left out {len(others)} other JSON files", others)
    notes += left_out_photos(source, [photo.file for photo in listed], "are not listed in the labels")
    return _rows(source, documents, listed, notes)


# ---------------------------------------------------------------- checks


def _check_numbers(document: Document) -> None:
    """Raise LabelError for numbers that two entries share, and annotations that speak of unknown ones."""
    _refuse_twice(document, "images")
    _refuse_twice(document, "categories")
    for key, field in (("images", "image_id"), ("categories", "category_id")):
        known = {entry["id"] for entry in getattr(document, key)}
        unknown = [
            f"{document.place('annotations', index)} has {field} {annotation[field]!r}"
            for index, annotation in enumerate(document.annotations)
            if annotation[field] not in known
        ]
        if unknown:
            remedy = f"Add these to {key}, or remove the annotations."
            raise LabelError(format_errors(f"Annotations whose {field} is not in {key}", unknown, remedy))


def _refuse_twice(document: Document, key: str) -> None:
    indices: dict[object, list[int]] = defaultdict(list)
    for index, entry in enumerate(getattr(document, key)):
        indices[entry["id"]].append(index)
    twice = [
        " and ".join(document.place(key, index) for index in shared)
        for shared in indices.values()
        if len(shared) > 1
    ]
    if twice:
        raise LabelError(
            format_errors(f"Several {key} with the same id", twice, "Give each an id of its own.")
        )


def _photos_of(document: Document, finder: PhotoFinder, source: Source) -> list[LabeledPhoto]:
    photos, missing = [], []
    for index, image in enumerate(document.images):
        file = finder.named(image["file_name"], document.file)
        if file is None:
            missing.append(f"{document.place('images', index)}: {image['file_name']}")
        else:
            photos.append(_labeled(document, index, file, source))
    if missing:
        remedy = (
            "Put the photos beside the JSON file or in a folder such as images/, or remove their entries."
        )
        raise LabelError(format_errors("Labels name photos that are not there", missing, remedy))
    return photos


def _labeled(document: Document, index: int, file: str, source: Source) -> LabeledPhoto:
    image = document.images[index]
    height, width, number = image.get("height"), image.get("width"), image["id"]
    declared = (height, width) if isinstance(height, int) and isinstance(width, int) else None
    place = f"{source.root / document.file}: images[{index}] (id {number})"
    return LabeledPhoto(file, place, declared, document.split, number if isinstance(number, int) else None)


def _without_overviews(
    documents: Sequence[Document], photos: dict[str, list[LabeledPhoto]]
) -> tuple[list[Document], tuple[str, ...]]:
    """Leave out files without a split that only repeat the photos of files with one, and note it."""
    of_splits = {photo.file for doc in documents if doc.split for photo in photos[doc.file]}
    kept: list[Document] = []
    left_out: list[Document] = []
    for document in documents:
        repeats = not document.split and all(photo.file in of_splits for photo in photos[document.file])
        (left_out if repeats and of_splits else kept).append(document)
    what = "left out because files with a split in their name list the same photos"
    return kept, format_note(what, [document.file for document in left_out])


def _refuse_repeats(documents: Sequence[Document], photos: dict[str, list[LabeledPhoto]]) -> None:
    places: dict[str, list[tuple[Document, int]]] = defaultdict(list)
    for document in documents:
        for index, photo in enumerate(photos[document.file]):
            places[photo.file].append((document, index))
    twice = [
        f"{file}: {' and '.join(document.place('images', index) for document, index in of_file)}"
        for file, of_file in places.items()
        if len(of_file) > 1
    ]
    if twice:
        remedy = "List each photo once, or give boxmask only the JSON file that is to be used."
        raise LabelError(format_errors("Photos that are listed more than once", twice, remedy))


# ---------------------------------------------------------------- arrays


def _class_names(documents: Iterable[Document]) -> tuple[str, ...]:
    """The names in the order of their categories' ids; with several files, of the smallest id."""
    categories = [category for document in documents for category in document.categories]
    in_order = sorted(categories, key=lambda category: (isinstance(category["id"], str), category["id"]))
    return tuple(dict.fromkeys(category["name"].strip() for category in in_order))


def _shared_names(documents: Iterable[Document]) -> tuple[str, ...]:
    """A note on categories of one file that have the same name and so count as one class."""
    shared = [
        f"{document.place('categories', index)} {category['name'].strip()}"
        for document in documents
        for index, category in enumerate(document.categories)
        if category["name"].strip() in {other["name"].strip() for other in document.categories[:index]}
    ]
    return format_note("categories of the same name count as one class", shared)


def _rows(
    source: Source, documents: Sequence[Document], photos: list[LabeledPhoto], notes: tuple[str, ...]
) -> Labels:
    """Lay the annotations of all files in one row of arrays."""
    names = _class_names(documents)
    annotations = [annotation for document in documents for annotation in document.annotations]
    xywh = np.array([annotation.get("bbox") or _NO_BOX for annotation in annotations], dtype=np.float64)
    xywh = xywh.reshape(-1, 4)
    areas = [annotation.get("area") for annotation in annotations]
    starts = list(accumulate((len(document.annotations) for document in documents), initial=0))

    def place(row: int) -> str:
        number = bisect_right(starts, row) - 1
        return documents[number].place("annotations", row - starts[number])

    photo = _photo_numbers(documents)
    return Labels(
        root=source.root,
        class_names=names,
        photos=photos,
        photo=photo,
        boxes=np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1),
        extents=xywh[:, 2:],
        labels=_label_numbers(documents, names),
        areas=np.array([np.nan if area is None else area for area in areas], dtype=np.float64),
        crowd=np.array([bool(annotation.get("iscrowd")) for annotation in annotations], dtype=bool),
        difficult=np.zeros(len(annotations), dtype=bool),
        place=place,
        notes=(*notes, *_shared_names(documents)),
        outlines=outline_reader([annotation.get("segmentation") for annotation in annotations], photo, place),
    )


def _photo_numbers(documents: Sequence[Document]) -> NDArray[np.int64]:
    """Which photo each annotation is of; the photos of all files are counted on."""
    numbers: list[int] = []
    start = 0
    for document in documents:
        number = {image["id"]: start + index for index, image in enumerate(document.images)}
        numbers.extend(number[annotation["image_id"]] for annotation in document.annotations)
        start += len(document.images)
    return np.array(numbers, dtype=np.int64)


def _label_numbers(documents: Sequence[Document], names: tuple[str, ...]) -> NDArray[np.int64]:
    """The class of each annotation."""
    label = {name: number for number, name in enumerate(names)}
    numbers: list[int] = []
    for document in documents:
        of_id = {category["id"]: label[category["name"].strip()] for category in document.categories}
        numbers.extend(of_id[annotation["category_id"]] for annotation in document.annotations)
    return np.array(numbers, dtype=np.int64)
