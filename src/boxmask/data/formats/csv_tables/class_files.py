"""The names of classes in files beside tables: those of Open Images, and RetinaNet's order of classes."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from boxmask.data.findings import Findings, finding_of_error
from boxmask.data.formats.csv_tables.forms import DELIMITERS
from boxmask.data.formats.kinds import FILE_UNREADABLE
from boxmask.data.text import read_beginning, read_lines
from boxmask.errors import LabelError
from boxmask.names import class_name

_HEADER = ("labelname", "displayname")


@dataclass
class ClassFiles:
    """What files beside tables say about classes.

    names: by Open Images' code, such as "/m/01yrx": "Cat"
    order: of RetinaNet's classes, by their number
    """

    files: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)


def read_class_files(root: Path, files: Iterable[str], findings: Findings) -> ClassFiles:
    """Read the files among these that hold class names; others are passed over."""
    found = ClassFiles()
    for file in files:
        try:
            if not _may_hold_classes(root / file):
                continue
            rows = _pairs(read_lines(root / file))
        except LabelError as error:
            findings.add(finding_of_error(FILE_UNREADABLE, root / file, error))
            continue
        codes = {first: class_name(second) for first, second in rows if first.startswith("/")}
        numbers = {int(second): class_name(first) for first, second in rows if _is_whole(second)}
        if codes:
            found.names |= codes
        elif len(numbers) == len(rows):
            found.order += [name for _, name in sorted(numbers.items()) if name not in found.order]
        else:
            continue
        found.files.append(file)
    return found


def _may_hold_classes(path: Path) -> bool:
    """Whether the first row has two fields: a code and a name, or a name and a number."""
    rows = _pairs(read_beginning(path).splitlines()[:1])
    if not rows:
        return False
    first, second = rows[0]
    return first.startswith("/") or _is_whole(second) or (first.lower(), second.lower()) == _HEADER


def _pairs(lines: list[str]) -> list[tuple[str, str]]:
    """The rows of two fields; none if there are others."""
    filled = [line for line in lines if line.strip()]
    delimiter = max(DELIMITERS, key=filled[0].count) if filled else ","
    try:
        rows = list(csv.reader(filled, delimiter=delimiter))
    except csv.Error:
        return []
    return [(row[0].strip(), row[1].strip()) for row in rows] if all(len(row) == 2 for row in rows) else []


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
