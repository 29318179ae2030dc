"""COCO JSON (Lin et al., "Microsoft COCO: Common Objects in Context", arXiv:1405.0312): one file or several.

A box is (x, y, width, height) in continuous pixels from the top left corner of the photo. A missing box is
computed from the mask (see `coco_masks.py`). Ids of images and categories may have gaps and begin anywhere.
Images without annotations are photos without objects; categories without annotations are classes, too.
Classes are identified by name. The name of a file, or of its folder, may contain its split.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from boxmask.data.formats.coco_document import CocoDocument, Entry, read_document
from boxmask.data.formats.coco_masks import mask_reader
from boxmask.data.formats.labels import LabeledPhoto, Labels, note_on_unlabeled_photos
from boxmask.data.formats.photo_finder import PhotoFinder
from boxmask.data.formats.source import Source
from boxmask.data.messages import format_errors, format_note
from boxmask.errors import LabelError

NAME = "COCO JSON (one file, or a folder with one or several)"

_OPENING = re.compile(rb'\s*\{.*?"(info|licenses|images|annotations|categories)"\s*:', re.DOTALL)


def recognize(source: Source) -> list[str]:
    """The JSON files that begin like those of COCO; only those called instances*, if there are any."""
    files = _coco_files(source)
    return [file for file in files if file.rpartition("/")[2].startswith("instances")] or files


def _coco_files(source: Source) -> list[str]:
    return [file for file in source.candidates_with_suffix(".json") if _begins_like_coco(source, file)]


def _begins_like_coco(source: Source, file: str) -> bool:
    with (source.root / file).open("rb") as stream:
        return _OPENING.match(stream.read(4096).removeprefix(b"\xef\xbb\xbf")) is not None


def read(source: Source, files: Sequence[str]) -> Labels:
    """Read the files and find their photos.

    Raises LabelError, with file, line and id, for broken JSON, for ids of images or categories that are
    unknown or given twice, and for photos that are missing or listed twice.
    """
    finder = PhotoFinder(source)
    documents = [read_document(source.root, file) for file in files]
    for document in documents:
        _check_ids(document)
    photos = {document.file: _find_photos(document, finder, source) for document in documents}
    documents, notes = _without_overviews(documents, photos)
    _check_listed_once(documents, photos)
    listed = [photo for document in documents for photo in photos[document.file]]
    others = sorted(set(_coco_files(source)) - set(files))
    notes += format_note(f"left out {len(others)} other JSON files", others)
    notes += note_on_unlabeled_photos(source, [photo.file for photo in listed], "that the labels do not name")
    return _labels(source, documents, listed, notes)


# ---------------------------------------------------------------- checks


def _check_ids(document: CocoDocument) -> None:
    """Raise LabelError for ids that two entries share, and for annotations with unknown ids."""
    _check_unique(document, "images")
    _check_unique(document, "categories")
    for key, field in (("images", "image_id"), ("categories", "category_id")):
        known = {entry["id"] for entry in document.entries(key)}
        unknown = [
            f"{document.location('annotations', index)} has {field} {annotation[field]!r}"
            for index, annotation in enumerate(document.annotations)
            if annotation[field] not in known
        ]
        if unknown:
            remedy = f"Add these to {key}, or remove the annotations."
            raise LabelError(format_errors(f"Annotations whose {field} is not in {key}", unknown, remedy))


def _check_unique(document: CocoDocument, key: str) -> None:
    indices: dict[object, list[int]] = defaultdict(list)
    for index, entry in enumerate(document.entries(key)):
        indices[entry["id"]].append(index)
    errors = [
        " and ".join(document.location(key, index) for index in shared)
        for shared in indices.values()
        if len(shared) > 1
    ]
    if errors:
        raise LabelError(format_errors(f"Several {key} with the same id", errors, "Give each a unique id."))


def _find_photos(document: CocoDocument, finder: PhotoFinder, source: Source) -> list[LabeledPhoto]:
    photos, missing = [], []
    for index, image in enumerate(document.images):
        file = finder.by_name(image["file_name"], document.file)
        if file is None:
            missing.append(f"{document.location('images', index)}: {image['file_name']}")
        else:
            photos.append(_labeled_photo(document, index, file, source))
    if missing:
        remedy = (
            "Put the photos beside the JSON file or in a folder such as images/, or remove their entries."
        )
        raise LabelError(format_errors("Labels name photos that do not exist", missing, remedy))
    return photos


def _labeled_photo(document: CocoDocument, index: int, file: str, source: Source) -> LabeledPhoto:
    image = document.images[index]
    height, width, image_id = image.get("height"), image.get("width"), image["id"]
    declared = (height, width) if isinstance(height, int) and isinstance(width, int) else None
    location = f"{source.root / document.file}: images[{index}] (id {image_id})"
    return LabeledPhoto(
        file, location, declared, document.split, image_id if isinstance(image_id, int) else None
    )


def _without_overviews(
    documents: Sequence[CocoDocument], photos: dict[str, list[LabeledPhoto]]
) -> tuple[list[CocoDocument], tuple[str, ...]]:
    """Leave out files without a split whose photos are all in files with one, and note it."""
    in_splits = {photo.file for doc in documents if doc.split for photo in photos[doc.file]}
    kept: list[CocoDocument] = []
    left_out: list[CocoDocument] = []
    for document in documents:
        repeats = not document.split and all(photo.file in in_splits for photo in photos[document.file])
        (left_out if repeats and in_splits else kept).append(document)
    heading = "left out, because files with a split in their name list the same photos"
    return kept, format_note(heading, [document.file for document in left_out])


def _check_listed_once(documents: Sequence[CocoDocument], photos: dict[str, list[LabeledPhoto]]) -> None:
    entries: dict[str, list[tuple[CocoDocument, int]]] = defaultdict(list)
    for document in documents:
        for index, photo in enumerate(photos[document.file]):
            entries[photo.file].append((document, index))
    errors = [
        f"{file}: {' and '.join(document.location('images', index) for document, index in listed)}"
        for file, listed in entries.items()
        if len(listed) > 1
    ]
    if errors:
        remedy = "List each photo once, or give boxmask only the JSON file to use."
        raise LabelError(format_errors("Photos that are listed more than once", errors, remedy))


# ---------------------------------------------------------------- arrays


def _labels(
    source: Source, documents: Sequence[CocoDocument], photos: list[LabeledPhoto], notes: tuple[str, ...]
) -> Labels:
    """The annotations of all files as rows of arrays."""
    names = _class_names(documents)
    annotations = [annotation for document in documents for annotation in document.annotations]
    xywh = _boxes_xywh(annotations)
    starts = list(accumulate((len(document.annotations) for document in documents), initial=0))

    def location(row: int) -> str:
        number = bisect_right(starts, row) - 1
        return documents[number].location("annotations", row - starts[number])

    photo_of = _photo_indices(documents)
    segmentations = [annotation.get("segmentation") for annotation in annotations]
    return Labels(
        root=source.root,
        class_names=names,
        photos=photos,
        photo_of=photo_of,
        boxes=np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1),
        extents=xywh[:, 2:],
        labels=_label_indices(documents, names),
        areas=np.array([annotation.get("area") for annotation in annotations], dtype=np.float64),
        crowd=np.array([bool(annotation.get("iscrowd")) for annotation in annotations], dtype=bool),
        difficult=np.zeros(len(annotations), dtype=bool),
        location=location,
        notes=(*notes, *_note_on_shared_names(documents)),
        read_masks=mask_reader(segmentations, photo_of, location),
    )


def _boxes_xywh(annotations: Sequence[Entry]) -> Float[np.ndarray, "N 4"]:
    """The boxes as written; four NaN for a missing one."""
    boxes = [annotation.get("bbox") or [np.nan] * 4 for annotation in annotations]
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


def _class_names(documents: Iterable[CocoDocument]) -> tuple[str, ...]:
    """The names in the order of their categories' ids, the smallest id if several files differ."""
    categories = [category for document in documents for category in document.categories]
    ordered = sorted(categories, key=lambda category: (isinstance(category["id"], str), category["id"]))
    return tuple(dict.fromkeys(category["name"].strip() for category in ordered))


def _note_on_shared_names(documents: Iterable[CocoDocument]) -> tuple[str, ...]:
    """Categories of one file with the same name, which count as one class."""
    shared = [
        f"{document.location('categories', index)} {category['name'].strip()}"
        for document in documents
        for index, category in enumerate(document.categories)
        if category["name"].strip() in {other["name"].strip() for other in document.categories[:index]}
    ]
    return format_note("categories with the same name count as one class", shared)


def _photo_indices(documents: Sequence[CocoDocument]) -> NDArray[np.int64]:
    """(N,) the photo of each annotation, counted over all files."""
    indices: list[int] = []
    start = 0
    for document in documents:
        index_of = {image["id"]: start + index for index, image in enumerate(document.images)}
        indices.extend(index_of[annotation["image_id"]] for annotation in document.annotations)
        start += len(document.images)
    return np.array(indices, dtype=np.int64)


def _label_indices(documents: Sequence[CocoDocument], names: tuple[str, ...]) -> NDArray[np.int64]:
    """(N,) the class of each annotation."""
    label_of = {name: label for label, name in enumerate(names)}
    labels: list[int] = []
    for document in documents:
        by_id = {category["id"]: label_of[category["name"].strip()] for category in document.categories}
        labels.extend(by_id[annotation["category_id"]] for annotation in document.annotations)
    return np.array(labels, dtype=np.int64)
