"""The tables of labels that are read: what their columns hold, and how their files are recognized."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Literal

from boxmask.file_kinds import PHOTO_SUFFIXES

Convention = Literal["tensorflow", "open-images", "retinanet"]

_COLUMNS = {
    "photo": (
        "filename",
        "imagefilename",
        "file",
        "image",
        "imagepath",
        "imagename",
        "path",
        "filepath",
        "img",
    ),
    "class": ("class", "classname", "label", "labelname", "name", "category"),
    "x1": ("xmin", "x1", "left"),
    "y1": ("ymin", "y1", "top"),
    "x2": ("xmax", "x2", "right"),
    "y2": ("ymax", "y2", "bottom"),
}
_SIZE = {"width": ("width", "imagewidth", "imgwidth"), "height": ("height", "imageheight", "imgheight")}
_OPEN_IMAGES = ("imageid", "labelname", "xmin", "xmax", "ymin", "ymax")
_FLAGS = {
    "isoccluded": "occluded",
    "istruncated": "truncated",
    "isdepiction": "IsDepiction",
    "isinside": "IsInside",
}
_SCORE = "score"
DELIMITERS = ",;\t"
_MAX_HEADER = 4096


@dataclass(frozen=True)
class TableForm:
    """How a table holds labels.

    columns:    index of "photo", "class", "x1", "y1", "x2" and "y2", and if there are any of "width",
                "height" and "crowd"
    attributes: index of columns with flags, by the name of the attribute
    """

    convention: Convention
    delimiter: str
    columns: Mapping[str, int]
    attributes: Mapping[str, int]

    @property
    def has_header(self) -> bool:
        """Whether the first row names the columns."""
        return self.convention != "retinanet"


def find_form(beginning: str) -> TableForm | None:
    """The form of a table by its first row; None if it is no table of labels, or holds predictions."""
    fields, delimiter = _first_row(beginning)
    names = [_plain(name) for name in fields]
    if _SCORE in names:
        return None
    if all(name in names for name in _OPEN_IMAGES):
        return _open_images(names, delimiter)
    columns = _indices(names, _COLUMNS)
    if len(columns) == len(_COLUMNS):
        return TableForm("tensorflow", delimiter, columns | _indices(names, _SIZE), {})
    return _RETINANET[delimiter] if _is_retinanet(fields) else None


def holds_predictions(beginning: str) -> bool:
    """Whether a table would be one of labels without its column of scores."""
    names = [_plain(name) for name in _first_row(beginning)[0]]
    return _SCORE in names and len(_indices(names, _COLUMNS)) == len(_COLUMNS)


def _first_row(beginning: str) -> tuple[list[str], str]:
    """The fields of the first row, and what separates them."""
    first = next((line for line in beginning[:_MAX_HEADER].splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    return next(_rows(first, delimiter), []), delimiter


def _plain(name: str) -> str:
    """The name of a column in one spelling: "x_min" is "xmin"."""
    return re.sub(r"[\s_.-]+", "", name).lower()


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(StringIO(text), delimiter=delimiter)
    except csv.Error:
        return


def _indices(names: list[str], aliases: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """The column of each thing, by the first of its names that the header holds."""
    found = {
        column: next((names.index(alias) for alias in possible if alias in names), None)
        for column, possible in aliases.items()
    }
    return {column: index for column, index in found.items() if index is not None}


def _open_images(names: list[str], delimiter: str) -> TableForm:
    columns = {"photo": names.index("imageid"), "class": names.index("labelname")}
    columns |= {"x1": names.index("xmin"), "y1": names.index("ymin")}
    columns |= {"x2": names.index("xmax"), "y2": names.index("ymax")}
    if "isgroupof" in names:
        columns["crowd"] = names.index("isgroupof")
    flags = {attribute: names.index(name) for name, attribute in _FLAGS.items() if name in names}
    return TableForm("open-images", delimiter, columns, flags)


_RETINANET_COLUMNS = {"photo": 0, "x1": 1, "y1": 2, "x2": 3, "y2": 4, "class": 5}
_RETINANET = {mark: TableForm("retinanet", mark, _RETINANET_COLUMNS, {}) for mark in DELIMITERS}


def _is_retinanet(fields: list[str]) -> bool:
    """Whether a row is a photo, four corners and a class, or a photo and five empty fields.

    A class may be a whole number, if the numbers before it are corners of a box: other tables of photos may
    hold five numbers, too.
    """
    if len(fields) != len(_RETINANET_COLUMNS) or not fields[0].strip().lower().endswith(PHOTO_SUFFIXES):
        return False
    if not any(fields[1:]):
        return True
    corners, name = fields[1:5], fields[5].strip()
    if not all(map(_is_number, corners)) or not name:
        return False
    x1, y1, x2, y2 = (float(corner.replace(",", ".")) for corner in corners)
    return not _is_number(name) or (name.isdigit() and x1 < x2 and y1 < y2)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
