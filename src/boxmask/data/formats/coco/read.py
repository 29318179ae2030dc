"""COCO JSON (Lin et al., "Microsoft COCO: Common Objects in Context", arXiv:1405.0312): one file or several.

A box is (x, y, width, height) in continuous pixels from the top left corner of the photo. A missing box is
computed from the mask (see `masks.py`). Ids of images and categories may have gaps and begin anywhere.
Images without annotations are photos without objects. Categories without annotations are classes, too,
except those that are only the supercategory of others.
Classes are identified by name. The name of a file, or of its folder, may contain its split.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from boxmask.data.findings import Findings, Location
from boxmask.data.formats.coco.areas import check_areas
from boxmask.data.formats.coco.categories import class_names, label_indices, notes_on_names
from boxmask.data.formats.coco.document import CocoDocument, read_document
from boxmask.data.formats.coco.ids import check_ids
from boxmask.data.formats.coco.masks import mask_reader
from boxmask.data.formats.coco.photos import find_coco_files, find_photos
from boxmask.data.formats.coco.values import Entry
from boxmask.data.formats.labels import LabeledPhoto, Labels, note_on_unlabeled_photos
from boxmask.data.formats.photo_finder import PhotoFinder
from boxmask.data.formats.source import Source
from boxmask.errors import LabelError
from boxmask.messages import format_errors, format_note

NAME = "COCO JSON (one file, or a folder with one or several)"


def recognize(source: Source) -> list[str]:
    """The JSON files in COCO's form; only those called instances*, if there are any."""
    files, _ = find_coco_files(source)
    return [file for file in files if file.rpartition("/")[2].startswith("instances")] or files


def unreadable(source: Source) -> list[str]:
    """A message on each JSON file that cannot be read and so may be one of COCO."""
    return list(find_coco_files(source)[1].values())


def read(source: Source, files: Sequence[str], findings: Findings) -> Labels:
    """Read the files and find their photos.

    Raises LabelError, with file, line and id, for broken JSON, for ids of images or categories that are
    unknown or given twice, and for photos that are listed twice.
    """
    finder = PhotoFinder(source)
    documents = [read_document(source.root, file) for file in files]
    notes_on_ids = {document.file: check_ids(document) for document in documents}
    found = {document.file: find_photos(document, finder, source) for document in documents}
    photos = {file: photos_of_file for file, (photos_of_file, _) in found.items()}
    documents, notes = _without_overviews(documents, photos)
    for document in documents:
        notes += (*found[document.file][1], *document.notes, *notes_on_ids[document.file])
    _check_listed_once(documents, photos)
    listed = [photo for document in documents for photo in photos[document.file]]
    coco_files, errors = find_coco_files(source)
    others = sorted(set(coco_files) - set(files))
    notes += format_note(f"left out {len(others)} other JSON files", others)
    notes += format_note("left out, because they cannot be read as labels", list(errors.values()))
    notes += note_on_unlabeled_photos(source, [photo.file for photo in listed], "that the labels do not name")
    labels = _labels(source, documents, listed, notes)
    return replace(labels, other_files=(*others, *errors), did_you_mean=finder.did_you_mean)


# ---------------------------------------------------------------- photos


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
            if not photo.missing_name:
                entries[photo.file].append((document, index))
    errors = [
        f"{file}: {' and '.join(str(document.location('images', index)) for document, index in listed)}"
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
    names, notes_on_classes = class_names(documents)
    annotations = [annotation for document in documents for annotation in document.annotations]
    xywh = _boxes_xywh(annotations)
    areas, notes_on_areas = _areas(documents)
    starts = list(accumulate((len(document.annotations) for document in documents), initial=0))

    def location(row: int) -> Location:
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
        labels=label_indices(documents, names),
        areas=areas,
        crowd=np.array([annotation["iscrowd"] for annotation in annotations], dtype=bool),
        difficult=np.zeros(len(annotations), dtype=bool),
        location=location,
        box_form="xywh",
        notes=(*notes, *notes_on_classes, *notes_on_names(documents), *notes_on_areas),
        read_masks=mask_reader(segmentations, photo_of, location),
    )


def _areas(documents: Sequence[CocoDocument]) -> tuple[Float[np.ndarray, " N"], tuple[str, ...]]:
    """The areas of the annotations, checked file by file, and notes."""
    areas, notes = [np.zeros(0)], list[str]()
    for document in documents:
        declared = np.array([annotation["area"] for annotation in document.annotations], dtype=np.float64)
        boxes_xywh = _boxes_xywh(document.annotations)
        checked, notes_on_file = check_areas(declared, boxes_xywh, partial(document.location, "annotations"))
        areas.append(checked)
        notes.extend(notes_on_file)
    return np.concatenate(areas), tuple(notes)


def _boxes_xywh(annotations: Sequence[Entry]) -> Float[np.ndarray, "N 4"]:
    """The boxes as written; four NaN for a missing one."""
    boxes = [annotation["bbox"] or [np.nan] * 4 for annotation in annotations]
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


def _photo_indices(documents: Sequence[CocoDocument]) -> NDArray[np.int64]:
    """(N,) the photo of each annotation, counted over all files."""
    indices: list[int] = []
    start = 0
    for document in documents:
        index_of = {image["id"]: start + index for index, image in enumerate(document.images)}
        indices.extend(index_of[annotation["image_id"]] for annotation in document.annotations)
        start += len(document.images)
    return np.array(indices, dtype=np.int64)
