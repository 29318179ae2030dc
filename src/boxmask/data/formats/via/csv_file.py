"""CSV of VIA 1 and 2: one line per region, whose shape and attributes are JSON."""

from __future__ import annotations

import csv
import json
import re
from array import array
from collections.abc import Iterator
from pathlib import Path

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.kinds import ENTRY_UNREADABLE
from boxmask.data.formats.via.file import ViaFile, ViaImage
from boxmask.data.formats.via.packed import pack
from boxmask.data.text import read_text
from boxmask.errors import LabelError

HEADER: tuple[str, ...] = ("filename", "file_size", "file_attributes", "region_count", "region_id")
HEADER += ("region_shape_attributes", "region_attributes")
CSV_OPENING = re.compile(
    r'\s*#?"?filename"?,"?file_size"?,"?file_attributes"?,"?region_count"?,', re.IGNORECASE
)

_MAX_FIELD = 2**31 - 1
"""Characters of one field; the csv module stops at 131,072 unless it is told."""


def read_via_csv(root: Path, file: str, findings: Findings) -> ViaFile:
    """Read a CSV file. Lines that cannot be read become findings.

    Raises LabelError for a file that cannot be read.
    """
    path = root / file
    images: dict[tuple[str, str], ViaImage] = {}
    image_lines, region_lines = array("q"), dict[tuple[int, int], int]()
    for line, fields in _rows(path):
        try:
            region, attributes = _parse(fields)
        except ValueError as error:
            findings.add(Finding(ENTRY_UNREADABLE, Location(str(path), line), str(error), num_left_out=1))
            continue
        key = (fields[0], fields[1])
        if key not in images:
            images[key] = ViaImage(len(images), fields[0], [], attributes)
            image_lines.append(line)
        image = images[key]
        assert isinstance(image.regions, list)
        if region is not None:
            region_lines[image.number, len(image.regions)] = line
            image.regions.append(region)

    def locate(image: int, region: int | None) -> Location:
        return Location(str(path), image_lines[image] if region is None else region_lines[image, region])

    return ViaFile(file, list(images.values()), {}, locate)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows below the header, each with the line in which it begins."""
    lines = read_text(path).lines()
    before = csv.field_size_limit(_MAX_FIELD)
    try:
        reader = csv.reader(f"{line}\n" for line in lines)
        start = 1
        for row in reader:
            if row and not CSV_OPENING.match(",".join(row)):
                yield start, row
            start = reader.line_num + 1
    except csv.Error as error:
        reason = f"broken CSV ({error}). Export it again from VIA."
        raise LabelError.in_file(path, reason, reader.line_num) from error
    finally:
        csv.field_size_limit(before)


def _parse(fields: list[str]) -> tuple[object, dict[str, object]]:
    """The region of a row, None for a photo without regions, and the attributes of the photo."""
    if len(fields) != len(HEADER):
        raise ValueError(f"expected the {len(HEADER)} columns of VIA, found {len(fields)}")
    if not fields[0].strip():
        raise ValueError("expected the photo's name in the column filename, found nothing")
    of_photo, shape, attributes = (_object(fields[column], HEADER[column]) for column in (2, 5, 6))
    if not shape and not attributes:
        return None, of_photo
    return pack({"shape_attributes": shape, "region_attributes": attributes}), of_photo


def _object(text: str, column: str) -> dict[str, object]:
    try:
        value: object = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the column {column} is no JSON ({str(error)[:60]})") from error
    if not isinstance(value, dict):
        raise ValueError(f"expected an object in the column {column}, found {text[:60]}")
    return value
