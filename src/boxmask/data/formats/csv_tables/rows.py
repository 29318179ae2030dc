"""The rows of one table of labels."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from boxmask.data.findings import Box, Finding, Findings, Location
from boxmask.data.formats.csv_tables.forms import TableForm, find_form
from boxmask.data.formats.kinds import ENCODING_GUESSED, ENTRY_UNREADABLE
from boxmask.data.formats.labels import declared_side
from boxmask.data.text import read_text
from boxmask.errors import LabelError
from boxmask.masks import Size

_CORNERS = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row.

    line:       counted from 1
    class_name: as written; None for a photo without objects
    box:        x1, y1, x2, y2 as written
    size:       (height, width) as declared
    attributes: names of those that are set
    """

    line: int
    photo: str
    class_name: str | None
    box: Box | None = None
    size: Size | None = None
    crowd: bool = False
    attributes: tuple[str, ...] = ()


def read_rows(path: Path, findings: Findings) -> tuple[TableForm, Iterator[TableRow]]:
    """The form of a table, and its rows. Rows that cannot be read become findings.

    Raises LabelError if the file cannot be read or is no table of labels.
    """
    text = read_text(path)
    form = find_form(text.content)
    if form is None:
        raise LabelError.in_file(path, "no table of labels. Expected its columns in the first row.")
    if text.note:
        findings.add(Finding(ENCODING_GUESSED, Location(str(path)), text.note))
    return form, _parse_rows(path, text.content, form, findings)


def _parse_rows(path: Path, text: str, form: TableForm, findings: Findings) -> Iterator[TableRow]:
    parse = _RowParser(form).parse
    is_header = form.has_header
    for line, fields, error in _numbered_rows(text, form.delimiter):
        if not any(fields) and not error:
            continue
        if is_header:
            is_header = False
            continue
        try:
            if error:
                raise ValueError(error)
            yield parse(line, fields)
        except ValueError as problem:
            findings.add(Finding(ENTRY_UNREADABLE, Location(str(path), line), str(problem), num_left_out=1))


def _numbered_rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Each row with the line that it begins in, or with what is wrong with it."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader), ""
        except StopIteration:
            return
        except csv.Error as error:
            yield line, [], str(error)


class _RowParser:
    def __init__(self, form: TableForm) -> None:
        columns = form.columns
        self._num_columns = 1 + max(columns.values())
        self._photo, self._class = columns["photo"], columns["class"]
        self._corners = [columns[corner] for corner in _CORNERS]
        self._sides = [columns[side] for side in ("height", "width") if side in columns]
        self._crowd = columns.get("crowd")
        self._attributes = form.attributes
        self._has_decimal_commas = form.delimiter != ","

    def parse(self, line: int, fields: list[str]) -> TableRow:
        """The row with these fields. Raises ValueError, with what was expected and found."""
        if len(fields) < self._num_columns:
            raise ValueError(f"expected at least {self._num_columns} fields, found {len(fields)}")
        photo, name = fields[self._photo].strip(), fields[self._class].strip()
        if not photo:
            raise ValueError("expected the name of a photo, found nothing")
        texts = [fields[corner] for corner in self._corners]
        size = self._size(fields)
        if not name and not any(map(str.strip, texts)):
            return TableRow(line, photo, None, size=size)
        if not name:
            raise ValueError("expected the name of a class, found nothing")
        x1, y1, x2, y2 = map(self._number, texts)
        crowd = self._crowd is not None and _is_set(fields[self._crowd])
        attributes = tuple(key for key, index in self._attributes.items() if _is_set(fields[index]))
        return TableRow(line, photo, name, (x1, y1, x2, y2), size, crowd, attributes)

    def _size(self, fields: list[str]) -> Size | None:
        if len(self._sides) < 2:
            return None
        height, width = (declared_side(fields[side]) for side in self._sides)
        return (height, width) if height is not None and width is not None else None

    def _number(self, text: str) -> float:
        try:
            if "_" in text:  # which Python takes for a separator of digits
                raise ValueError
            return float(text.replace(",", ".") if self._has_decimal_commas else text)
        except ValueError:
            raise ValueError(f'expected numbers as corners, found "{text:.60}"') from None


def _is_set(text: str) -> bool:
    return text.strip() in ("1", "1.0", "True", "true")
