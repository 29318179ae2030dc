"""One COCO JSON file, read and checked for the fields that every entry must have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from boxmask.data.formats.json_line_numbers import JsonLineNumbers
from boxmask.data.formats.source import split_from_path
from boxmask.data.json_text import read_json
from boxmask.data.messages import format_errors
from boxmask.errors import LabelError

Entry: TypeAlias = dict[str, Any]
_Checks: TypeAlias = dict[str, tuple[Callable[[object], bool], str]]
"""For each field, the test of its value, and the expected value in words."""


@dataclass(frozen=True)
class CocoDocument:
    """The three lists of a COCO file. `file` is relative to the root."""

    file: str
    images: list[Entry]
    annotations: list[Entry]
    categories: list[Entry]
    lines: JsonLineNumbers

    @property
    def split(self) -> str | None:
        """The split that the name of the file or of its folder contains."""
        return split_from_path(self.file)

    def entries(self, key: str) -> list[Entry]:
        """The list called "images", "annotations" or "categories"."""
        lists = {"images": self.images, "annotations": self.annotations, "categories": self.categories}
        return lists[key]

    def location(self, key: str, index: int) -> str:
        """File, line, index and id of an entry of "images", "annotations" or "categories"."""
        entry: object = self.entries(key)[index]
        return self.lines.location(key, index, entry.get("id") if isinstance(entry, dict) else None)


def read_document(root: Path, file: str) -> CocoDocument:
    """Read a file and check its entries.

    Raises LabelError, with the line if the file has several, for broken JSON and incomplete entries.
    """
    images, annotations, categories = _read_lists(root / file)
    document = CocoDocument(file, images, annotations, categories, JsonLineNumbers(root / file))
    _check_entries(document, "images", {"id": _ID, "file_name": _TEXT})
    _check_entries(document, "categories", {"id": _ID, "name": _TEXT})
    _check_entries(document, "annotations", _ANNOTATION_CHECKS)
    return document


def _read_lists(path: Path) -> tuple[list[Entry], list[Entry], list[Entry]]:
    content = read_json(path)
    fields = content if isinstance(content, dict) else {}
    images, annotations, categories = (fields.get(key) for key in ("images", "annotations", "categories"))
    if isinstance(images, list) and isinstance(annotations, list) and isinstance(categories, list):
        return images, annotations, categories
    found = ", ".join(fields) or f"a {type(content).__name__}"
    expected = 'COCO needs three lists, "images", "annotations" and "categories"'
    raise LabelError(f"{path}: {expected}; found {found}. Give a file of COCO instances.")


def _check_entries(document: CocoDocument, key: str, checks: _Checks) -> None:
    errors = [
        f"{document.location(key, index)} {error}"
        for index, entry in enumerate(document.entries(key))
        if (error := _error(entry, checks))
    ]
    if errors:
        remedy = "Complete or remove these entries."
        raise LabelError(format_errors("Entries that cannot be read", errors, remedy))


def _error(entry: object, checks: _Checks) -> str | None:
    """What is wrong with an entry, if anything."""
    if not isinstance(entry, dict):
        return f"should be an object, found {entry!r}"
    for field, (is_valid, expected) in checks.items():
        if field == "bbox" and entry.get(field) is None and entry.get("segmentation"):
            continue  # the box is computed from the mask
        if not is_valid(entry.get(field)):
            return f"has {field} {entry[field]!r}, not {expected}" if field in entry else f"has no {field}"
    return None


def _is_id(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_number_if_given(value: object) -> bool:
    return value is None or _is_number(value)


def _is_flag_if_given(value: object) -> bool:
    return value in (None, 0, 1)


def _is_box(value: object) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(_is_number(number) for number in value)


_ID = (_is_id, "a whole number or text")
_TEXT = (_is_text, "a name")
_ANNOTATION_CHECKS: _Checks = {
    "image_id": _ID,
    "category_id": _ID,
    "bbox": (_is_box, "[x, y, width, height]"),
    "area": (_is_number_if_given, "a number"),
    "iscrowd": (_is_flag_if_given, "0 or 1"),
}
