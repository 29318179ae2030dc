"""LabelMe: one JSON file per photo.

Russell et al., "LabelMe: A Database and Web-Based Tool for Image Annotation", IJCV 2008; the files of the
program by Wada (versions 2 to 6), of AnyLabeling and of X-AnyLabeling. Points are continuous pixels of the
photo as shown: LabelMe rotates it by its EXIF orientation.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath

from boxmask.data.findings import Findings, Location, finding_of_error
from boxmask.data.formats.json_line_numbers import JsonLineNumbers
from boxmask.data.formats.kinds import FILE_UNREADABLE, FILE_UNUSED
from boxmask.data.formats.labelme.file import LabelmeFile, NotLabelmeError, read_labelme_file
from boxmask.data.formats.labelme.objects import add_object
from boxmask.data.formats.labelme.photos import find_labelme_photos
from boxmask.data.formats.labels import LabeledPhoto, Labels, note_on_unlabeled_photos
from boxmask.data.formats.object_rows import ObjectRows
from boxmask.data.formats.photo_finder import PhotoFinder, path_of_missing
from boxmask.data.formats.source import Source, split_from_path
from boxmask.data.text import read_beginning
from boxmask.errors import LabelError, PhotoError
from boxmask.masks import Size
from boxmask.photos.size import photo_size

NAME = "LabelMe (a folder with one JSON file per photo)"

_OPENING = re.compile(r'\s*\{.*?"(shapes|imagePath|imageData|imageHeight)"\s*:', re.DOTALL)
_MANY, _SAMPLE = 2000, 200
"""Of more JSON files than `_MANY`, a sample is looked at. If it holds LabelMe files only, all are read."""


def recognize(source: Source) -> list[str]:
    """The JSON files that are LabelMe's by their beginning."""
    files = source.candidates_with_suffix(".json")
    if len(files) > _MANY:
        sample = files[:: len(files) // _SAMPLE]
        found = sum(_is_labelme(source.root / file) for file in sample)
        if found in (0, len(sample)):
            return files if found else []
    return [file for file in files if _is_labelme(source.root / file)]


def _is_labelme(path: Path) -> bool:
    try:
        return _OPENING.match(read_beginning(path, 2048)) is not None
    except LabelError:
        return False


def unreadable(source: Source) -> list[str]:
    """No messages: JSON files that cannot be read are those of COCO."""
    return []


def read(source: Source, files: Sequence[str], findings: Findings) -> Labels:
    """Read label files, and find their photos."""
    rows, file_of, shape_of = ObjectRows(), array("q"), array("q")
    label_files: list[LabelmeFile] = []
    photos: list[LabeledPhoto] = []
    for file in _read_files(source.root, files, findings):
        size = partial(_size, source.root, photos, len(label_files))
        for labeled in file.objects:
            add_object(rows, len(label_files), labeled.shapes, size)
            file_of.append(len(label_files))
            shape_of.append(labeled.index)
        label_files.append(replace(file, objects=[]))  # they would take most of the memory

    def location(row: int) -> Location:
        lines = _line_numbers(source.root / label_files[file_of[row]].file)
        return lines.location("shapes", shape_of[row], None)

    finder = PhotoFinder(source)
    found = find_labelme_photos(label_files, finder, source.root, findings)
    pairs = list(zip(label_files, found, strict=True))
    photos.extend(_labeled_photo(source.root, file, photo) for file, photo in pairs)
    attributes = {index: file.attributes for index, file in enumerate(label_files) if file.attributes}
    known = [photo for photo in found if photo is not None]
    notes = note_on_unlabeled_photos(source, known, "without a label file")
    labels = rows.labels(source.root, photos, location, photo_attributes=attributes, notes=notes)
    embedded = {file.image_path.strip() for file, photo in pairs if file.embeds_photo and photo is None}
    return replace(labels, did_you_mean=_hint(finder, embedded))


def _read_files(root: Path, files: Sequence[str], findings: Findings) -> Iterator[LabelmeFile]:
    for file in files:
        try:
            yield read_labelme_file(root, file, findings)
        except NotLabelmeError as error:
            findings.add(finding_of_error(FILE_UNUSED, root / file, error))
        except LabelError as error:
            findings.add(finding_of_error(FILE_UNREADABLE, root / file, error))


def _labeled_photo(root: Path, file: LabelmeFile, photo: str | None) -> LabeledPhoto:
    name = file.image_path.strip() or PurePosixPath(file.file).with_suffix(".jpg").name
    folder = PurePosixPath(file.file).parent
    path = photo or path_of_missing((folder / name).as_posix())
    splits = (split_from_path(PurePosixPath(each).parent.as_posix()) for each in (file.file, path))
    split = next((split for split in splits if split), None)
    location = Location(str(root / file.file))
    return LabeledPhoto(path, location, file.declared_size, split, missing_name="" if photo else name)


def _size(root: Path, photos: Sequence[LabeledPhoto], index: int) -> Size:
    """The size that the shapes of a photo are drawn on: the declared one, else that of the photo."""
    photo = photos[index]
    try:
        return photo.declared_size or photo_size(root / photo.file)
    except PhotoError as error:
        raise ValueError(f"the size of its photo is unknown ({error})") from error


@lru_cache(maxsize=4)
def _line_numbers(path: Path) -> JsonLineNumbers:
    """Findings about one file mostly follow one another."""
    return JsonLineNumbers(path)


def _hint(finder: PhotoFinder, embedded: set[str]) -> Callable[[str], str]:
    """Hints on photos that do not exist."""

    def hint(name: str) -> str:
        if name in embedded:
            return " (the label file holds the photo itself: boxmask convert writes it as a file)"
        return finder.did_you_mean(name)

    return hint
