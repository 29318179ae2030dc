"""VGG Image Annotator (VIA): projects and annotations in JSON, and CSV.

Dutta and Zisserman, "The VIA Annotation Software for Images, Audio and Video", ACM Multimedia 2019; the files
of the versions 1, 2 and 3. Coordinates are continuous pixels of the photo as the browser shows it, upright.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from boxmask.data.findings import Finding, Findings, Location, finding_of_error
from boxmask.data.formats.kinds import (
    FILE_UNREADABLE,
    PHOTO_AMBIGUOUS,
    PHOTO_LISTED_TWICE,
    report_encoding,
)
from boxmask.data.formats.labels import Labels, PhotoEntry
from boxmask.data.formats.object_rows import ObjectRows
from boxmask.data.formats.openings import files_that_open_with
from boxmask.data.formats.photo_finder import PhotoFinder, check_spelling, path_of_missing
from boxmask.data.formats.shape_errors import kind_of_shape_error
from boxmask.data.formats.source import Source
from boxmask.data.formats.via.class_attribute import class_of, find_class_attribute, listed_classes
from boxmask.data.formats.via.csv_file import CSV_OPENING, read_via_csv
from boxmask.data.formats.via.file import ViaFile, ViaImage, region_attributes
from boxmask.data.formats.via.packed import pack_region, unpack
from boxmask.data.formats.via.regions import parse_shape
from boxmask.data.formats.via.version2 import read_version2
from boxmask.data.formats.via.version3 import read_version3
from boxmask.data.json_text import read_json
from boxmask.data.split_words import split_from_folders, split_from_path
from boxmask.errors import LabelError
from boxmask.names import Match

NAME = "VIA (VGG Image Annotator: JSON, or CSV of regions)"

_JSON_OPENING = re.compile(
    r'\s*\{\s*("_via_|"project"\s*:\s*\{\s*"(pid|rev|rev_timestamp|pname|creator)"'
    r'|"(?:[^"\\]|\\.)*"\s*:\s*\{\s*"(fileref|filename|size|base64_img_data|file_attributes|regions)"\s*:)'
)
_OPENINGS = {".json": _JSON_OPENING, ".csv": CSV_OPENING}


def recognize(source: Source) -> list[str]:
    """The JSON and CSV files that are VIA's by their beginning."""
    return [
        file
        for suffix, opening in _OPENINGS.items()
        for file in files_that_open_with(source, suffix, opening)
    ]


def unreadable(source: Source) -> list[str]:
    """No messages: JSON files that cannot be read are those of COCO."""
    return []


def read(source: Source, files: Sequence[str], findings: Findings) -> Labels:
    """Read label files, and find their photos.

    Raises LabelError if several attributes may be the class.
    """
    via_files = _read_files(source.root, files, findings)
    attribute = find_class_attribute(via_files, str(source.root / files[0]))
    finder = PhotoFinder(source)
    objects = _Objects(source, finder, attribute, findings)
    for file in via_files:
        objects.add_file(file)
    labels = objects.rows.labels(
        source.root,
        objects.photos,
        objects.location,
        declared_names=listed_classes(via_files, attribute),
        photo_attributes=objects.photo_attributes,
        form="xywh",
    )
    notes = _note_on_attribute(attribute)
    return replace(labels, did_you_mean=finder.did_you_mean, notes=notes)


def _note_on_attribute(attribute: str | None) -> tuple[str, ...]:
    """Which attribute is the class, if its name does not tell."""
    is_clear = attribute is None or attribute.strip().lower() == "class"
    return () if is_clear else (f'the class of a region is its attribute "{attribute}"',)


def _read_files(root: Path, files: Sequence[str], findings: Findings) -> list[ViaFile]:
    via_files = []
    for file in files:
        try:
            via_files.append(_read_file(root, file, findings))
        except LabelError as error:
            findings.add(finding_of_error(FILE_UNREADABLE, root / file, error))
    return via_files


def _read_file(root: Path, file: str, findings: Findings) -> ViaFile:
    if file.lower().endswith(".csv"):
        return read_via_csv(root, file, findings)
    note = report_encoding(root / file, findings)
    content = unpack(read_json(root / file, on_note=note, make_object=pack_region))
    if not isinstance(content, dict):
        raise LabelError.in_file(root / file, "expected an object, as VIA saves it.")
    is_version3 = "metadata" in content and "view" in content
    return (read_version3 if is_version3 else read_version2)(root, file, content, findings)


class _Objects:
    """The photos of all files, and their regions as rows."""

    def __init__(
        self, source: Source, finder: PhotoFinder, attribute: str | None, findings: Findings
    ) -> None:
        self.rows = ObjectRows()
        self.photos: list[PhotoEntry] = []
        self.photo_attributes: dict[int, dict[str, object]] = {}
        self._source, self._finder, self._attribute, self._findings = source, finder, attribute, findings
        self._files: list[ViaFile] = []
        self._places = array("q")  # three numbers per row: file, image, region
        self._labeled: dict[str, tuple[int, int]] = {}  # the file of a photo, and a hash of its regions

    def location(self, row: int) -> Location:
        """File and line of a region."""
        file, image, region = self._places[3 * row : 3 * row + 3]
        return self._files[file].locate(image, region)

    def add_file(self, file: ViaFile) -> None:
        """Add the images of a file, which is kept without them."""
        self._files.append(replace(file, images=[]))
        for image in file.images:
            location = Location(str(self._source.root / file.file), entry=f'"{image.name[:60]}"')
            regions = image.unpacked_regions()
            image.regions = ()  # frees their memory
            if self._add_photo(file, image, regions, location):
                for number, region in enumerate(regions):
                    self._add_region(file, image, number, region)

    def _add_photo(self, file: ViaFile, image: ViaImage, regions: list[object], location: Location) -> bool:
        """Add a photo; whether its regions are to be added."""
        try:
            match = self._finder.find(image.name, file.file)
        except LabelError as error:
            location = file.locate(image.number, None)
            self._findings.add(Finding(PHOTO_AMBIGUOUS, location, error.reason, num_left_out=len(regions)))
            return False
        if match is not None and not self._is_new(file, image, regions, match.file):
            return False
        if match is not None and not match.is_exact:  # finding the line takes time
            check_spelling(image.name, match, file.locate(image.number, None), self._findings)
        if image.attributes:
            self.photo_attributes[len(self.photos)] = image.attributes
        self.photos.append(_photo_entry(file, image, match, location))
        return True

    def _is_new(self, file: ViaFile, image: ViaImage, regions: list[object], photo: str) -> bool:
        """Whether a photo is not labeled yet. Other regions for it are an error.

        The same regions in another file, such as an export beside the project, are passed over.
        """
        index, content = len(self._files) - 1, hash(json.dumps(regions, sort_keys=True))
        if photo not in self._labeled:
            self._labeled[photo] = index, content
            return True
        first, first_content = self._labeled[photo]
        if first == index or first_content != content:
            first_file = self._files[first].file
            detail = f"{photo}, also in {first_file}"
            location = file.locate(image.number, None)
            finding = Finding(PHOTO_LISTED_TWICE, location, detail, photo, related=(first_file,))
            self._findings.add(replace(finding, num_left_out=len(regions)))
        return False

    def _add_region(self, file: ViaFile, image: ViaImage, number: int, region: object) -> None:
        try:
            shape = region.get("shape_attributes") if isinstance(region, dict) else region
            box, outline = parse_shape(shape)
            attributes = dict(region_attributes(region))
            name = class_of(attributes, self._attribute)
        except ValueError as error:
            location = file.locate(image.number, number)
            self._findings.add(Finding(kind_of_shape_error(error), location, str(error), num_left_out=1))
            return
        attributes.pop(self._attribute or "", None)
        self.rows.add(len(self.photos) - 1, name, box=box, outline=outline, attributes=attributes)
        self._places.extend((len(self._files) - 1, image.number, number))


def _photo_entry(file: ViaFile, image: ViaImage, match: Match | None, location: Location) -> PhotoEntry:
    path = match.file if match else path_of_missing(image.name)
    split = split_from_path(file.file) or split_from_folders(path)
    return PhotoEntry(path, location, split=split, missing_name="" if match else image.name)
