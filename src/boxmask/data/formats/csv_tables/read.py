"""Tables of labels as CSV: one row per object.

TensorFlow   filename,width,height,class,xmin,ymin,xmax,ymax   corners in pixels
Open Images  ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,...   fractions of the photo
RetinaNet    path,x1,y1,x2,y2,class   corners in pixels, without a header; path,,,,, has no objects

Corners are continuous edges: a box from 0 to 10 is 10 pixels wide. This is how TensorFlow's
generate_tfrecord.py and keras-retinanet take them, also in tables that were made of VOC's XML, whose corners
count pixels from 1.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from boxmask.data.findings import Findings, Location, finding_of_error
from boxmask.data.formats.csv_tables.class_files import ClassFiles, read_class_files
from boxmask.data.formats.csv_tables.forms import TableForm, find_form, holds_predictions
from boxmask.data.formats.csv_tables.rows import read_rows
from boxmask.data.formats.kinds import FILE_UNREADABLE
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.named_photos import NamedPhotos
from boxmask.data.formats.object_rows import ObjectRows
from boxmask.data.formats.overviews import without_overviews
from boxmask.data.formats.source import Source
from boxmask.data.split_words import split_from_path
from boxmask.data.text import read_beginning
from boxmask.errors import LabelError

NAME = "CSV tables (of TensorFlow, Open Images or RetinaNet)"

_SUFFIXES = (".csv", ".tsv")


def recognize(source: Source) -> list[str]:
    """The CSV files whose first row is that of a table of labels."""
    return [file for file in _tables(source) if _form(source, file)]


def unreadable(source: Source) -> list[str]:
    """A message on each table of predictions. Any other CSV file may be anything."""
    return [
        f"{source.root / file}: its rows have scores, so it holds predictions, not labels. Once they are "
        "corrected, remove the column."
        for file in _tables(source)
        if holds_predictions(_beginning(source, file))
    ]


def _tables(source: Source) -> list[str]:
    return [file for file in source.candidates if file.lower().endswith(_SUFFIXES)]


def _form(source: Source, file: str) -> TableForm | None:
    return find_form(_beginning(source, file))


def _beginning(source: Source, file: str) -> str:
    """The beginning of a file; empty if it cannot be read."""
    try:
        return read_beginning(source.root / file)
    except LabelError:
        return ""


def read(source: Source, files: Sequence[str], findings: Findings) -> Labels:
    """Read the tables, and find their photos. The names of a file and its folders may contain its split.

    Raises LabelError for tables of fractions beside tables of pixels.
    """
    unit = _unit(source, files)
    used = without_overviews(source.root, files, partial(_photos_of, source), findings)
    others = [file for file in source.files if file.lower().endswith(_SUFFIXES) and file not in set(files)]
    classes = read_class_files(source.root, others, findings)
    collector = _Collector(source, classes, findings, without_suffix=unit == "fraction")
    for file in used:
        collector.add(file)
    labels = collector.labels()
    overviews = [file for file in files if file not in used]
    return replace(labels, unit=unit, other_files=(*classes.files, *overviews))


# ---------------------------------------------------------------- tables


def _unit(source: Source, files: Sequence[str]) -> Literal["pixel", "fraction"]:
    """What the corners are in. Raises LabelError if some tables hold fractions and others pixels."""
    forms = {file: form for file in files if (form := _form(source, file))}
    fractions = [file for file, form in forms.items() if form.convention == "open-images"]
    pixels = [file for file in forms if file not in fractions]
    if fractions and pixels:
        found = f"of Open Images ({fractions[0]}) and in pixels ({pixels[0]})"
        raise LabelError.in_file(source.root, f"tables {found}. Give the files of one kind.")
    return "fraction" if fractions else "pixel"


def _photos_of(source: Source, file: str) -> set[str]:
    """The photos that a table names. Findings are those of its second reading."""
    try:
        return {row.photo for row in read_rows(source.root / file, Findings())[1]}
    except LabelError:
        return set()


# ---------------------------------------------------------------- objects


class _Collector:
    """The photos and objects of all tables, and the table and line of each object."""

    def __init__(
        self, source: Source, classes: ClassFiles, findings: Findings, *, without_suffix: bool
    ) -> None:
        self._source, self._classes, self._findings = source, classes, findings
        self._photos = NamedPhotos(source, findings, without_suffix=without_suffix)
        self._rows = ObjectRows()
        self._files: list[str] = []
        self._table_of, self._line_of = array("q"), array("q")

    def add(self, file: str) -> None:
        """Add the rows of a table. One that cannot be read becomes a finding."""
        path, split = self._source.root / file, split_from_path(file)
        try:
            _, rows = read_rows(path, self._findings)
        except LabelError as error:
            self._findings.add(finding_of_error(FILE_UNREADABLE, path, error))
            return
        self._files.append(str(path))
        for row in rows:
            photo = self._photos.known(row.photo, file)
            if photo is None:
                location = Location(str(path), row.line)
                count = int(row.class_name is not None)
                photo = self._photos.add(
                    row.photo, file, location, size=row.size, split=split, num_objects=count
                )
            if photo is None or row.class_name is None:
                continue
            name = self._classes.names.get(row.class_name, row.class_name)
            attributes: dict[str, object] = dict.fromkeys(row.attributes, True)
            if row.crowd:
                attributes["iscrowd"] = True
            self._rows.add(photo, name, box=row.box, attributes=attributes)
            self._table_of.append(len(self._files) - 1)
            self._line_of.append(row.line)

    def labels(self) -> Labels:
        """All objects."""
        self._photos.report_ambiguous()
        labels = self._rows.labels(
            self._source.root, self._photos.photos, self._location, declared_names=self._classes.order
        )
        return replace(labels, did_you_mean=self._photos.finder.did_you_mean)

    def _location(self, row: int) -> Location:
        return Location(self._files[self._table_of[row]], self._line_of[row])
