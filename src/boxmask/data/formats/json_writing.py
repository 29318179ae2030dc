"""JSON in one line, and attributes as fields of JSON objects."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from boxmask.data.formats.contract import Losses, Owner


def json_line(value: object) -> str:
    """JSON in one line. Raises ValueError for NaN and infinity."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def writable_fields(
    attributes: Mapping[str, object], taken: Collection[str], owner: Owner, photo: str, losses: Losses
) -> dict[str, object]:
    """The attributes that can be further fields of a JSON object. The others are noted as lost.

    taken: the names of the fields that the format itself has. "area" is left out without a note: it follows
           from the outline.
    owner: whose attributes these are
    """
    fields = {}
    for name, value in attributes.items():
        if name not in taken and is_json(value):
            fields[name] = value
        elif name != "area":
            losses.add_attribute(name, owner, photo)
    return fields


def is_json(value: object) -> bool:
    """Whether JSON can hold a value, which it cannot if a number in it is NaN or infinite."""
    try:
        json_line(value)
    except (TypeError, ValueError):
        return False
    return True
