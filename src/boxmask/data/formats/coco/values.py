"""The values of COCO entries: harmless variants become the standard form, everything else is an error.

The harmless variants are 1.0 for the id 1, [] for a missing box beside a segmentation, and "0" for 0 in
iscrowd.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from boxmask.json_numbers import is_number, to_float
from boxmask.names import class_name

Parser: TypeAlias = Callable[[Any], Any]
"""From a value as written to its standard form. Raises ValueError with what was expected."""

_MAX_SHOWN = 60


def parse_entry(entry: object, parsers: Mapping[str, Parser]) -> str | None:
    """Bring the fields of an entry to their standard form, in place. Returns what is wrong, if anything."""
    if not isinstance(entry, dict):
        return f"should be an object, found {shown(entry)}"
    for field, parse in parsers.items():
        try:
            entry[field] = parse(entry.get(field))
        except ValueError as expected:
            if field not in entry:
                return f"has no {field}; expected {expected}"
            return f"has {field} {shown(entry[field])}, not {expected}"
    return None


def parse_annotation(entry: object) -> str | None:
    """`parse_entry` for an annotation. A box may be missing if there is a segmentation."""
    if isinstance(entry, dict) and not entry.get("bbox") and entry.get("segmentation"):
        entry["bbox"] = None
        return parse_entry(entry, {**_ANNOTATION, "bbox": lambda _: None})
    return parse_entry(entry, _ANNOTATION)


def parse_image(entry: object) -> str | None:
    """`parse_entry` for an image."""
    return parse_entry(entry, {"id": _parse_id, "file_name": _parse_text})


def parse_category(entry: object) -> str | None:
    """`parse_entry` for a category."""
    return parse_entry(entry, {"id": _parse_id, "name": _parse_text})


def is_flag_as_text(entry: object) -> bool:
    """Whether the iscrowd of an annotation is "0" or "1" in quotation marks."""
    return isinstance(entry, dict) and entry.get("iscrowd") in ("0", "1")


def shown(value: object) -> str:
    """A value as in the file, cut if it is long."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


# ---------------------------------------------------------------- parsers


def _parse_id(value: Any) -> int | str:
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    if isinstance(value, int | str) and not isinstance(value, bool):
        return value
    raise ValueError("a whole number or text")


def _parse_text(value: Any) -> str:
    if isinstance(value, str) and class_name(value):  # else it has only spaces and invisible characters
        return value
    if is_number(value):
        raise ValueError(f'text in quotation marks, such as "{value}"')
    raise ValueError("a name")


def _parse_box(value: Any) -> list[float]:
    if isinstance(value, list) and len(value) == 4 and all(is_number(number) for number in value):
        return [to_float(number) for number in value]
    numbers = " as numbers without quotation marks" if isinstance(value, list) and len(value) == 4 else ""
    raise ValueError(f"[x, y, width, height]{numbers}")


def _parse_area(value: Any) -> float:
    """NaN for a missing area."""
    if value is None:
        return math.nan
    if is_number(value):
        return to_float(value)
    raise ValueError("a number")


def _parse_flag(value: Any) -> bool:
    if value in (None, 0, 1, "0", "1"):
        return value in (1, "1")
    raise ValueError("0 or 1")


_ANNOTATION: dict[str, Parser] = {
    "image_id": _parse_id,
    "category_id": _parse_id,
    "bbox": _parse_box,
    "area": _parse_area,
    "iscrowd": _parse_flag,
}
