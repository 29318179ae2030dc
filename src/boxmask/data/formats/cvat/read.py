"""CVAT for images 1.1: one XML file of all photos and their shapes.

Files are read image by image, so that exports of 100,000 photos need little memory. Coordinates are
continuous pixels of the photo as CVAT shows it: upright, by its EXIF orientation.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from boxmask.data.findings import Finding, Findings, Location, finding_of_error
from boxmask.data.formats.cvat.elements import CvatHandler, CvatImage, CvatLabel, CvatShape
from boxmask.data.formats.cvat.shapes import attributes_of, parse_shape
from boxmask.data.formats.drawn_size import drawn_size
from boxmask.data.formats.kinds import (
    ENCODING_GUESSED,
    ENTRY_UNREADABLE,
    FILE_UNREADABLE,
    PHOTO_AMBIGUOUS,
    PHOTO_LISTED_TWICE,
    SHAPE_UNSUPPORTED,
)
from boxmask.data.formats.labels import Labels, PhotoEntry, declared_side
from boxmask.data.formats.object_rows import ObjectRows
from boxmask.data.formats.openings import XML_PROLOG, files_that_open_with
from boxmask.data.formats.photo_finder import PhotoFinder, check_spelling, path_of_missing
from boxmask.data.formats.shape_errors import kind_of_shape_error
from boxmask.data.formats.source import Source
from boxmask.data.formats.xml_stream import stream_xml
from boxmask.data.split_words import split_from_folders, split_from_name, split_from_path
from boxmask.errors import LabelError
from boxmask.names import Match, class_name

NAME = "CVAT for images (one XML file)"

_OPENING = re.compile(rf"{XML_PROLOG}<annotations\s*>\s*<(version|meta|image|track)[\s/>]", re.DOTALL)
_VIDEO = 'tracks of a video. Export the task or project from CVAT as "CVAT for images" instead'


def recognize(source: Source) -> list[str]:
    """The XML files that are CVAT's by their beginning."""
    return files_that_open_with(source, ".xml", _OPENING)


def unreadable(source: Source) -> list[str]:
    """No messages: XML files that cannot be read are those of Pascal VOC."""
    return []


def read(source: Source, files: Sequence[str], findings: Findings) -> Labels:
    """Read label files, and find their photos."""
    finder = PhotoFinder(source)
    reader = _Reader(source, finder, findings)
    for file in files:
        reader.read_file(file)
    classes = [label for label in reader.labels.values() if label.is_class]
    labels = reader.rows.labels(
        source.root,
        reader.photos,
        reader.location,
        declared_names=[label.name for label in classes],
        photo_attributes=reader.photo_attributes,
        class_attributes={label.name: {"color": label.color} for label in classes if label.color},
    )
    return replace(labels, did_you_mean=finder.did_you_mean)


class _Reader:
    """The photos and shapes of all files."""

    def __init__(self, source: Source, finder: PhotoFinder, findings: Findings) -> None:
        self.rows = ObjectRows()
        self.photos: list[PhotoEntry] = []
        self.photo_attributes: dict[int, dict[str, object]] = {}
        self.labels: dict[str, CvatLabel] = {}
        self._source, self._finder, self._findings = source, finder, findings
        self._files: list[str] = []
        self._file_of, self._lines = array("q"), array("q")
        self._places: dict[str, Location] = {}

    def location(self, row: int) -> Location:
        """File and line of a shape."""
        return Location(self._path(self._file_of[row]), self._lines[row])

    def _path(self, file: int = -1) -> str:
        return str(self._source.root / self._files[file])

    def read_file(self, file: str) -> None:
        """Add the images of a file."""
        self._files.append(file)
        path = self._source.root / file
        handler = CvatHandler(self._add_image)
        try:
            note = stream_xml(path, handler)
        except LabelError as error:
            self._findings.add(finding_of_error(FILE_UNREADABLE, path, error))
            return
        self.labels |= {name: label for name, label in handler.labels.items() if name not in self.labels}
        if note:
            self._findings.add(Finding(ENCODING_GUESSED, Location(str(path)), note))
        if handler.num_tracks:
            location = Location(str(path), handler.track_line)
            self._findings.add(Finding(SHAPE_UNSUPPORTED, location, f"{handler.num_tracks:,} {_VIDEO}"))

    # ---------------------------------------------------------------- images

    def _add_image(self, image: CvatImage, labels: Mapping[str, CvatLabel]) -> None:
        location = Location(self._path(), image.line)
        name = image.fields.get("name", "")
        num_objects = sum(shape.tag != "tag" for shape in image.shapes)
        if not name.strip():
            self._findings.add(
                Finding(ENTRY_UNREADABLE, location, "an <image> without a name", num_left_out=num_objects)
            )
            return
        try:
            match = self._find(name, image.fields.get("subset", ""))
        except LabelError as error:
            self._findings.add(Finding(PHOTO_AMBIGUOUS, location, error.reason, num_left_out=num_objects))
            return
        if match is not None:
            check_spelling(name, match, location, self._findings)
            if (first := self._places.setdefault(match.file, location)) is not location:
                detail = f"{match.file}, also at {first}"
                finding = Finding(PHOTO_LISTED_TWICE, location, detail, match.file, related=(first.file,))
                self._findings.add(replace(finding, num_left_out=num_objects))
                return
        self.photos.append(self._photo_entry(image, match, location))
        self._add_shapes(image, labels)

    def _find(self, name: str, subset: str) -> Match | None:
        """The photo in CVAT's folders, images/SUBSET/ and images/, else anywhere."""
        label_file = self._files[-1]
        for folder in ((f"images/{subset}", subset) if subset else ()) + ("images",):
            if match := self._finder.find_exact(f"{folder}/{name}", label_file):
                return match
        return self._finder.find(name, label_file)

    def _photo_entry(self, image: CvatImage, match: Match | None, location: Location) -> PhotoEntry:
        fields = image.fields
        height, width = declared_side(fields.get("height")), declared_side(fields.get("width"))
        path = match.file if match else path_of_missing(fields["name"])
        split = split_from_name(fields.get("subset", "")) or split_from_path(self._files[-1])
        number = fields.get("id", "")
        image_id = int(number) if number.isdecimal() and len(number) < 19 else None
        return PhotoEntry(
            path,
            location,
            None if height is None or width is None else (height, width),
            split or split_from_folders(path),
            image_id,
            "" if match else fields["name"],
        )

    # ---------------------------------------------------------------- shapes

    def _add_shapes(self, image: CvatImage, labels: Mapping[str, CvatLabel]) -> None:
        tags = []
        for shape in image.shapes:
            if shape.tag == "tag":
                tags.append(shape.fields.get("label", ""))
            else:
                self._add_shape(shape, labels)
        if tags:
            self.photo_attributes[len(self.photos) - 1] = {"tags": tags}

    def _add_shape(self, shape: CvatShape, labels: Mapping[str, CvatLabel]) -> None:
        name = shape.fields.get("label", "")
        photo = len(self.photos) - 1
        try:
            box, outline = parse_shape(shape, partial(drawn_size, self._source.root, self.photos[photo]))
            if not class_name(name):
                raise ValueError(f"a <{shape.tag}> without a label")
        except ValueError as error:
            location = Location(self._path(), shape.line)
            self._findings.add(Finding(kind_of_shape_error(error), location, str(error), num_left_out=1))
            return
        attributes = attributes_of(shape, labels.get(name.strip()))
        self.rows.add(photo, name, box=box, outline=outline, attributes=attributes)
        self._file_of.append(len(self._files) - 1)
        self._lines.append(shape.line)
