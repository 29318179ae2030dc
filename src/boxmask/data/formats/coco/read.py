"""COCO JSON (Lin et al., "Microsoft COCO: Common Objects in Context", arXiv:1405.0312): one file or several.

A box is (x, y, width, height) in continuous pixels from the top left corner of the photo. A missing box is
computed from the mask (see `outlines.py`). Ids of images and categories may have gaps and begin anywhere.
Images without annotations are photos without objects. Categories without annotations are classes, too,
except those that are only the supercategory of others.
Classes are identified by name. The name of a file, or of its folder, may contain its split.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from boxmask.data.findings import Finding, Findings, Location, finding_of_error
from boxmask.data.formats.coco.categories import class_names
from boxmask.data.formats.coco.document import CocoDocument, read_document
from boxmask.data.formats.coco.ids import by_id, check_annotation_ids, find_ids
from boxmask.data.formats.coco.photos import find_coco_files, find_photos_of_images
from boxmask.data.formats.coco.rows import FileRows, labels_of_files
from boxmask.data.formats.damaged_files import damage_of
from boxmask.data.formats.kinds import FILE_UNUSED, PHOTO_LISTED_TWICE, SPLIT_OVERLAP
from boxmask.data.formats.labels import Labels, PhotoEntry
from boxmask.data.formats.overviews import without_overviews
from boxmask.data.formats.photo_finder import PhotoFinder
from boxmask.data.formats.source import Source

NAME = "COCO JSON (one file, or a folder with one or several)"


def recognize(source: Source) -> list[str]:
    """The JSON files in COCO's form; only those called instances*, if there are any."""
    files, _ = find_coco_files(source)
    return [file for file in files if file.rpartition("/")[2].startswith("instances")] or files


def unreadable(source: Source) -> list[str]:
    """A message on each JSON file that cannot be read and so may be one of COCO."""
    return [str(error) for error in find_coco_files(source)[1].values()]


def read(source: Source, files: Sequence[str], findings: Findings) -> Labels:
    """Read the files and find their photos. Raises LabelError if none of the files can be read."""
    documents = [found for file in files if (found := read_document(source.root, file, findings))]
    finder = PhotoFinder(source)
    photos = {document.file: _photos(document, finder, findings) for document in documents}
    used = without_overviews(source.root, list(photos), lambda file: photos[file].files(), findings)
    documents = [document for document in documents if document.file in used]
    _keep_first_entries(documents, photos, findings)
    names = class_names(documents, findings)
    rows = [_file_rows(document, photos[document.file], findings) for document in documents]
    labels = labels_of_files(source, rows, names, findings)
    others = _add_other_files(source, files, findings)
    spellings = {
        category["name"]: partial(document.location, "categories", index)
        for document in documents
        for index, category in document.categories.items()
    }
    return replace(
        labels,
        other_files=others,
        did_you_mean=finder.did_you_mean,
        spellings=spellings,
        spelling_places={name: partial(_files_with_category, name, documents) for name in spellings},
    )


def _files_with_category(name: str, documents: Sequence[CocoDocument]) -> list[Location]:
    """The files with a category whose name is written so."""
    return [
        document.location("categories", index)
        for document in documents
        for index, category in document.categories.items()
        if category["name"] == name
    ]


@dataclass(frozen=True, slots=True)
class _Photos:
    """The photos of a file by the index of their image, the images by id, and the ids of those left out."""

    by_image: dict[int, PhotoEntry]
    index_of: Mapping[int | str, int]
    lost: set[Hashable]

    def files(self) -> list[str]:
        """The photos of all images."""
        return [photo.file for photo in self.by_image.values()]


def _photos(document: CocoDocument, finder: PhotoFinder, findings: Findings) -> _Photos:
    index_of = by_id(document, "images", findings)
    return _Photos(find_photos_of_images(document, index_of, finder, findings), index_of, document.lost_ids)


def _file_rows(document: CocoDocument, photos: _Photos, findings: Findings) -> FileRows:
    """The photos and the annotations of a file that belong to them."""
    check_annotation_ids(document, findings)
    categories = by_id(document, "categories", findings)
    image_of = find_ids(document, "image_id", photos.index_of, photos.lost, findings)
    category_of = find_ids(document, "category_id", categories, (), findings)
    return FileRows(document, photos.by_image, image_of, category_of)


def _add_other_files(source: Source, files: Sequence[str], findings: Findings) -> tuple[str, ...]:
    """Add the JSON files in COCO's form that are not read, and those that cannot be read."""
    coco_files, errors = find_coco_files(source)
    others = sorted(set(coco_files) - set(files))
    for file in others:
        findings.add(Finding(FILE_UNUSED, Location(str(source.root / file)), "no file of instances"))
    for file, error in errors.items():
        if damage_of(source, file) is None:  # else it is an error, see `report_damaged_files`
            findings.add(finding_of_error(FILE_UNUSED, source.root / file, error))
    return (*others, *errors)


# ---------------------------------------------------------------- photos


def _keep_first_entries(
    documents: Sequence[CocoDocument], photos: Mapping[str, _Photos], findings: Findings
) -> None:
    """Of several entries of a photo, keep the first; the others are added to the findings."""
    entries: dict[str, list[tuple[CocoDocument, int]]] = defaultdict(list)
    for document in documents:
        for index, photo in photos[document.file].by_image.items():
            if not photo.missing_name:
                entries[photo.file].append((document, index))
    for file, (first, *others) in entries.items():
        for document, index in others:
            del photos[document.file].by_image[index]
            location = document.location("images", index)
            detail = f"{file}, also at {first[0].location('images', first[1])}"
            splits = {document.split, first[0].split}
            kind = SPLIT_OVERLAP if len(splits) == 2 and None not in splits else PHOTO_LISTED_TWICE
            count = document.num_annotations[document.images[index]["id"]]
            related = (first[0].file,)
            findings.add(Finding(kind, location, detail, file, related=related, num_left_out=count))
