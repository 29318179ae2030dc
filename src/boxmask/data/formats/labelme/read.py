"""LabelMe: one JSON file per photo.

Russell et al., "LabelMe: A Database and Web-Based Tool for Image Annotation", IJCV 2008; the files of the
program by Wada (versions 2 to 6), of AnyLabeling and of X-AnyLabeling. Points are continuous pixels of the
photo as shown: LabelMe rotates it by its EXIF orientation.
"""

from __future__ import annotations

import posixpath
import re
from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from boxmask.data.findings import Findings, Location, finding_of_error
from boxmask.data.formats.drawn_size import drawn_size
from boxmask.data.formats.json_places import json_places
from boxmask.data.formats.kinds import FILE_UNREADABLE, FILE_UNUSED
from boxmask.data.formats.labelme.embedded_photos import save_embedded_photos
from boxmask.data.formats.labelme.file import LabelmeFile, NotLabelmeError, read_labelme_file
from boxmask.data.formats.labelme.objects import add_object
from boxmask.data.formats.labelme.photos import find_labelme_photos
from boxmask.data.formats.labels import Labels, PhotoEntry
from boxmask.data.formats.object_rows import ObjectRows
from boxmask.data.formats.openings import files_that_open_with
from boxmask.data.formats.photo_finder import PhotoFinder, path_of_missing
from boxmask.data.formats.source import Source
from boxmask.data.json_text import read_json
from boxmask.data.split_words import split_from_folders
from boxmask.data.text import read_lines
from boxmask.errors import LabelError
from boxmask.masks import Size

NAME = "LabelMe (a folder with one JSON file per photo)"

_OPENING = re.compile(r'\s*\{.*?"(shapes|imagePath|imageData|imageHeight)"\s*:', re.DOTALL)
_CLASSES_FILE = "labels.txt"
_NO_CLASSES = ("__ignore__", "_background_")  # in the lists of LabelMe's examples


def recognize(source: Source) -> list[str]:
    """The JSON files that are LabelMe's by their beginning."""
    return files_that_open_with(source, ".json", _OPENING)


def unreadable(source: Source) -> list[str]:
    """No messages: JSON files that cannot be read are those of COCO."""
    return []


def read(source: Source, files: Sequence[str], findings: Findings) -> Labels:
    """Read label files, and find their photos."""
    photos: list[PhotoEntry] = []
    objects = _Objects(source.root, photos)
    for file in _read_files(source.root, [*files, *_unreadable_files(source, files, findings)], findings):
        objects.add(file)
    finder = PhotoFinder(source)
    found = find_labelme_photos(objects.files, finder, source.root, findings)
    objects.photo_root, found = save_embedded_photos(source.root, objects.files, found, findings)
    pairs = list(zip(objects.files, found, strict=True))
    photos.extend(_photo_entry(source.root, file, photo) for file, photo in pairs)
    labels = objects.rows.labels(
        objects.photo_root,
        photos,
        objects.location,
        declared_names=_listed_names(source),
        photo_attributes={index: file.attributes for index, (file, _) in enumerate(pairs) if file.attributes},
    )
    unreadable = {file.image_path.strip() for file, photo in pairs if file.embeds_photo and photo is None}
    return replace(labels, did_you_mean=_hint(finder, unreadable), other_files=(_CLASSES_FILE,))


class _Objects:
    """The objects of all files as rows, and the file and the shape of each row.

    photos, photo_root: filled later: outlines are only read once the photos are known
    """

    def __init__(self, root: Path, photos: Sequence[PhotoEntry]) -> None:
        self.rows = ObjectRows()
        self.files: list[LabelmeFile] = []
        self.photo_root = root
        self._root, self._photos = root, photos
        self._file_of, self._shape_of = array("q"), array("q")

    def add(self, file: LabelmeFile) -> None:
        """Add the objects of a file, which is kept without them: they would take most of the memory."""
        index = len(self.files)
        size = partial(self._size, index)
        for labeled in file.objects:
            add_object(self.rows, index, labeled.shapes, size)
            self._file_of.append(index)
            self._shape_of.append(labeled.index)
        self.files.append(replace(file, objects=[]))

    def _size(self, index: int) -> Size:
        return drawn_size(self.photo_root, self._photos[index])

    def location(self, row: int) -> Location:
        """File and line of the first shape of an object."""
        places = json_places(self._root / self.files[self._file_of[row]].file)
        return places.location("shapes", self._shape_of[row])


def _listed_names(source: Source) -> list[str]:
    """The class names in labels.txt, which LabelMe reads with --labels, in their order."""
    if _CLASSES_FILE not in source.files:
        return []
    names = [line.strip() for line in read_lines(source.root / _CLASSES_FILE)]
    return [name for name in names if name and name not in _NO_CLASSES]


def _unreadable_files(source: Source, files: Sequence[str], findings: Findings) -> list[str]:
    """JSON files named as a photo beside them that are no JSON: label files that were damaged.

    Those that are reported already, because they are empty or no text, are left out.
    """
    reported = {finding.location.file for finding in findings.of(FILE_UNREADABLE)}
    stems = {posixpath.splitext(photo)[0] for photo in source.photos}
    others = set(source.candidates_with_suffix(".json")).difference(files)
    return [
        file
        for file in sorted(others)
        if posixpath.splitext(file)[0] in stems
        and str(source.root / file) not in reported
        and _is_broken(source, file)
    ]


def _is_broken(source: Source, file: str) -> bool:
    try:
        read_json(source.root / file)
    except LabelError:
        return True
    return False


def _read_files(root: Path, files: Sequence[str], findings: Findings) -> Iterator[LabelmeFile]:
    for file in files:
        try:
            yield read_labelme_file(root, file, findings)
        except NotLabelmeError as error:
            findings.add(finding_of_error(FILE_UNUSED, root / file, error))
        except LabelError as error:
            findings.add(finding_of_error(FILE_UNREADABLE, root / file, error))


def _photo_entry(root: Path, file: LabelmeFile, photo: str | None) -> PhotoEntry:
    name = file.image_path.strip() or PurePosixPath(file.file).with_suffix(".jpg").name
    folder = PurePosixPath(file.file).parent
    path = photo or path_of_missing((folder / name).as_posix())
    splits = (split_from_folders(each) for each in (file.file, path))
    split = next((split for split in splits if split), None)
    location = Location(str(root / file.file))
    return PhotoEntry(path, location, file.declared_size, split, missing_name="" if photo else name)


def _hint(finder: PhotoFinder, unreadable: set[str]) -> Callable[[str, Collection[str]], str]:
    """Hints on photos that do not exist. unreadable: those whose imageData is no photo"""

    def hint(name: str, excluded: Collection[str]) -> str:
        if name in unreadable:
            return " (and the imageData of its label file is no photo)"
        return finder.did_you_mean(name, excluded)

    return hint
