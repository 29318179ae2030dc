"""CreateML's JSON for object detection: a list of photos, each with its annotations.

    [{"image": "a.jpg", "annotations": [
        {"label": "cat", "coordinates": {"x": 50, "y": 40, "width": 20, "height": 10}}]}]

x and y are the center of the box, in pixels from the top left corner of the photo. Older files have the keys
"imagefilename" and "annotation".
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from boxmask.data.findings import Finding, Findings, Location, finding_of_error
from boxmask.data.formats.json_places import json_places
from boxmask.data.formats.kinds import ENTRY_UNREADABLE, FILE_UNREADABLE, report_encoding
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.named_photos import NamedPhotos
from boxmask.data.formats.numbers import tidy_pixel
from boxmask.data.formats.object_rows import ObjectRows
from boxmask.data.formats.openings import LIST_OF_OBJECTS
from boxmask.data.formats.source import Source
from boxmask.data.json_text import read_json
from boxmask.data.split_words import split_from_path
from boxmask.data.text import read_beginning
from boxmask.errors import LabelError
from boxmask.json_numbers import is_number, to_float
from boxmask.names import class_name

NAME = "CreateML (JSON files that list photos with annotations)"

_IMAGE = re.compile(r'"(image|imagefilename)"\s*:\s*"')
_ANNOTATIONS = re.compile(r'"annotations?"\s*:\s*\[')
_ANNOTATION_KEYS = ("annotations", "annotation")
_COORDINATES = re.compile(r'"coordinates"\s*:\s*\{')
_TASK = re.compile(r'"data"\s*:\s*\{')  # of Label Studio


def recognize(source: Source) -> list[str]:
    """The JSON files that begin as CreateML's do."""
    return [file for file in source.candidates_with_suffix(".json") if _is_createml(source.root / file)]


def unreadable(source: Source) -> list[str]:
    """No messages: JSON files that cannot be read are those of COCO."""
    return []


def _is_createml(path: Path) -> bool:
    try:
        beginning = read_beginning(path, 16_384)
    except LabelError:
        return False
    if not LIST_OF_OBJECTS.match(beginning) or _TASK.search(beginning):
        return False
    has_annotations = _ANNOTATIONS.search(beginning) is not None
    return has_annotations and bool(_IMAGE.search(beginning) or _COORDINATES.search(beginning))


def read(source: Source, files: Sequence[str], findings: Findings) -> Labels:
    """Read the files, and find their photos. The names of a file and its folders may contain its split."""
    reader = _Reader(source, findings)
    for file in files:
        try:
            path = source.root / file
            content = read_json(path, on_note=report_encoding(path, findings))
        except LabelError as error:
            findings.add(finding_of_error(FILE_UNREADABLE, source.root / file, error))
            continue
        reader.add_file(file, content)
    photos = reader.photos
    photos.report_ambiguous()
    labels = reader.rows.labels(source.root, photos.photos, reader.location, form="center")
    return replace(labels, did_you_mean=photos.finder.did_you_mean)


class _Reader:
    """The objects of all files, and the file, photo and annotation of each."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self.photos, self.rows = NamedPhotos(source, findings), ObjectRows()
        self._root, self._findings = source.root, findings
        self._files: list[str] = []
        self._places = array("q"), array("q"), array("q")

    def add_file(self, file: str, content: object) -> None:
        self._files.append(file)
        if not isinstance(content, list):
            detail = "expected a list of photos"
            self._findings.add(Finding(FILE_UNREADABLE, Location(str(self._root / file)), detail))
            return
        split = split_from_path(file)
        for index, entry in enumerate(content):
            self._add_entry(index, entry, split)

    def location(self, row: int) -> Location:
        """File, line, photo and annotation of an object."""
        file, entry, annotation = (places[row] for places in self._places)
        return self._location(file, entry, annotation)

    def _location(self, file: int, entry: int, annotation: int | None = None) -> Location:
        path = self._root / self._files[file]
        places = json_places(path)
        line = places.line(entry)
        if annotation is None:
            return Location(str(path), line, f"[{entry}]")
        lines = (places.line(entry, key, annotation) for key in _ANNOTATION_KEYS)
        return Location(str(path), next(filter(None, lines), line), f"[{entry}].annotations[{annotation}]")

    def _add_entry(self, index: int, entry: object, split: str | None) -> None:
        file = len(self._files) - 1
        fields = entry if isinstance(entry, dict) else {}
        name = fields.get("image", fields.get("imagefilename"))
        annotations = next((fields[key] for key in _ANNOTATION_KEYS if key in fields), None)
        if not isinstance(name, str) or not name.strip() or not isinstance(annotations, list):
            detail = 'expected a photo with "image", its file, and "annotations", a list'
            count = len(annotations) if isinstance(annotations, list) else 0
            location = self._location(file, index)
            self._findings.add(Finding(ENTRY_UNREADABLE, location, detail, num_left_out=count))
            return
        location = Location(str(self._root / self._files[file]), None, f"[{index}]")
        photo = self.photos.add(
            name, self._files[file], location, split=split, is_entry=True, num_objects=len(annotations)
        )
        if photo is not None:
            for number, error in self._add_annotations(index, photo, annotations):
                location = self._location(file, index, number)
                self._findings.add(Finding(ENTRY_UNREADABLE, location, error, num_left_out=1))

    def _add_annotations(
        self, entry: int, photo: int, annotations: list[object]
    ) -> Iterator[tuple[int, str]]:
        """Add the objects of a photo; gives the index of each that cannot be read, and why."""
        for number, annotation in enumerate(annotations):
            fields = annotation if isinstance(annotation, dict) else {}
            label, box = fields.get("label"), _box(fields.get("coordinates"))
            if not isinstance(label, str) or not class_name(label):
                yield number, 'expected "label", the name of a class'
            elif box is None:
                yield number, 'expected "coordinates" with the numbers x, y, width and height'
            else:
                self.rows.add(photo, label, box=box)
                for places, value in zip(self._places, (len(self._files) - 1, entry, number), strict=True):
                    places.append(value)


def _box(coordinates: object) -> tuple[float, float, float, float] | None:
    """Corners from center and size; None if a number is missing."""
    fields = coordinates if isinstance(coordinates, dict) else {}
    values = [fields.get(key) for key in ("x", "y", "width", "height")]
    x, y, width, height = (to_float(value) if is_number(value) else None for value in values)
    if x is None or y is None or width is None or height is None:
        return None
    corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    x1, y1, x2, y2 = map(tidy_pixel, corners)
    return x1, y1, x2, y2
