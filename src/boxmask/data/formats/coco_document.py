"""One COCO JSON file, read and checked for what every entry must have."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from boxmask.data.formats.json_lines import JsonLines
from boxmask.data.formats.source import split_in_path
from boxmask.data.messages import format_errors
from boxmask.errors import LabelError

Entry: TypeAlias = dict[str, Any]
_Checks: TypeAlias = dict[str, Callable[[object], bool]]


@dataclass(frozen=True)
class Document:
    """file: relative to the root; the three lists are COCO's."""

    file: str
    images: list[Entry]
    annotations: list[Entry]
    categories: list[Entry]
    places: JsonLines

    @property
    def split(self) -> str | None:
        """The split that the file's name, or its folder's, speaks of."""
        return split_in_path(self.file)

    def place(self, key: str, index: int) -> str:
        """File, line and number of an entry of "images", "annotations" or "categories"."""
        entry = getattr(self, key)[index]
        return self.places.of(key, index, entry.get("id") if isinstance(entry, dict) else None)


def read_document(root: Path, file: str) -> Document:
    """Read a file and check each entry.

    Raises LabelError, with the line where it can be had, for broken JSON and for entries that lack something.
    """
    document = Document(file, *_lists(root / file), JsonLines(root / file))
    _check(document, "images", {"id": _is_id, "file_name": _is_text})
    _check(document, "categories", {"id": _is_id, "name": _is_text})
    _check(document, "annotations", _ANNOTATION)
    return document


def _lists(path: Path) -> tuple[list[Entry], list[Entry], list[Entry]]:
    content = _parse(path)
    fields = content if isinstance(content, dict) else {}
    images, annotations, categories = (fields.get(key) for key in ("images", "annotations", "categories"))
    if isinstance(images, list) and isinstance(annotations, list) and isinstance(categories, list):
        return images, annotations, categories
    found = ", ".join(fields) or f"a {type(content).__name__}"
    wanted = 'COCO needs three lists, "images", "annotations" and "categories"'
    raise LabelError(f"{path}: {wanted}; found {found}. Give a file of COCO instances.")


def _parse(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        advice = "Mend it, or write it anew with the tool that made it."
        raise LabelError(
            f"{path}:{error.lineno}:{error.colno}: broken JSON ({error.msg}). {advice}"
        ) from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from error


def _check(document: Document, key: str, checks: _Checks) -> None:
    faults = [
        f"{document.place(key, index)} {fault}"
        for index, entry in enumerate(getattr(document, key))
        if (fault := _fault(entry, checks))
    ]
    if faults:
        raise LabelError(
            format_errors("Entries that cannot be read", faults, "Complete or remove these entries.")
        )


def _fault(entry: object, checks: _Checks) -> str | None:
    """What is wrong with an entry, if anything."""
    if not isinstance(entry, dict):
        return f"should be an object, found {entry!r}"
    for field, fits in checks.items():
        if field == "bbox" and entry.get(field) is None and entry.get("segmentation"):
            continue  # the outline has a box
        if not fits(entry.get(field)):
            return f"has {field} {entry[field]!r}" if field in entry else f"has no {field}"
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


_ANNOTATION: _Checks = {
    "image_id": _is_id,
    "category_id": _is_id,
    "bbox": _is_box,
    "area": _is_number_if_given,
    "iscrowd": _is_flag_if_given,
}
