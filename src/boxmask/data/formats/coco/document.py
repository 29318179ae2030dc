"""One COCO JSON file, read and checked for the fields that every entry must have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from boxmask.data.findings import Location
from boxmask.data.formats.coco.values import (
    Entry,
    is_flag_as_text,
    parse_annotation,
    parse_category,
    parse_image,
)
from boxmask.data.formats.json_line_numbers import JsonLineNumbers
from boxmask.data.formats.source import split_from_path
from boxmask.data.json_text import read_json
from boxmask.errors import LabelError
from boxmask.messages import format_errors, format_note

_LISTS = ("images", "annotations", "categories")
_JSON_TYPES = {
    dict: "an object",
    list: "a list",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


@dataclass(frozen=True)
class CocoDocument:
    """The three lists of a COCO file.

    file:  relative to the root
    notes: remarks on values that were read in another form than the standard one
    """

    file: str
    images: list[Entry]
    annotations: list[Entry]
    categories: list[Entry]
    lines: JsonLineNumbers
    notes: tuple[str, ...] = ()

    @property
    def split(self) -> str | None:
        """The split that the name of the file or of its folder contains."""
        return split_from_path(self.file)

    def entries(self, key: str) -> list[Entry]:
        """The list called "images", "annotations" or "categories"."""
        lists = {"images": self.images, "annotations": self.annotations, "categories": self.categories}
        return lists[key]

    def location(self, key: str, index: int) -> Location:
        """File, line, index and id of an entry of "images", "annotations" or "categories"."""
        entry: object = self.entries(key)[index]
        return self.lines.location(key, index, entry.get("id") if isinstance(entry, dict) else None)


def read_document(root: Path, file: str) -> CocoDocument:
    """Read a file, check its entries and bring their values to the standard form (see `values.py`).

    Raises LabelError, with the line if the file has several, for broken JSON and incomplete entries.
    """
    images, annotations, categories = _read_lists(root / file)
    document = CocoDocument(file, images, annotations, categories, JsonLineNumbers(root / file))
    flags_as_text = [
        str(document.location("annotations", index))
        for index, entry in enumerate(annotations)
        if is_flag_as_text(entry)
    ]
    _parse_entries(document, "images", parse_image)
    _parse_entries(document, "categories", parse_category)
    _parse_entries(document, "annotations", parse_annotation)
    return replace(document, notes=format_note("iscrowd is text and is read as a number", flags_as_text))


def _read_lists(path: Path) -> tuple[list[Entry], list[Entry], list[Entry]]:
    content = read_json(path)
    fields = content if isinstance(content, dict) else {}
    images, annotations, categories = (fields.get(key) for key in _LISTS)
    if isinstance(images, list) and isinstance(annotations, list) and isinstance(categories, list):
        return images, annotations, categories
    expected = 'COCO needs three lists, "images", "annotations" and "categories"'
    raise LabelError(f"{path}: {expected}; found {_describe(content)}. Give a file of COCO instances.")


def _describe(content: object) -> str:
    """The keys of a JSON file, and what those of the three lists hold if it is no list."""
    if not isinstance(content, dict):
        return _JSON_TYPES[type(content)]
    others = [
        f"{key} is {_JSON_TYPES[type(content[key])]}, not a list"
        for key in _LISTS
        if key in content and not isinstance(content[key], list)
    ]
    return "; ".join([", ".join(content) or "an empty object", *others])


def _parse_entries(document: CocoDocument, key: str, parse: Callable[[object], str | None]) -> None:
    """Raises LabelError for all entries of a list that cannot be read."""
    errors = [
        f"{document.location(key, index)} {error}"
        for index, entry in enumerate(document.entries(key))
        if (error := parse(entry))
    ]
    if errors:
        remedy = "Correct, complete or remove these entries."
        raise LabelError(format_errors("Entries that cannot be read", errors, remedy))
