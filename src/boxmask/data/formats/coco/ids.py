"""The ids of a COCO file: unique in their list, and known where annotations refer to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from boxmask.data.formats.coco.document import CocoDocument
from boxmask.errors import LabelError
from boxmask.messages import format_errors, format_note

_MAX_SHOWN = 5


def check_ids(document: CocoDocument) -> tuple[str, ...]:
    """Raise LabelError for ids that two images or categories share, and for annotations with unknown ids.

    Ids of annotations refer to nothing, so that shared ones are only noted.
    """
    for key in ("images", "categories"):
        if shared := _shared_ids(document, key):
            raise LabelError(
                format_errors(f"Several {key} with the same id", shared, "Give each a unique id.")
            )
    _check_known(document, "image_id", "images")
    _check_known(document, "category_id", "categories")
    return format_note(
        "annotations with the same id (all of them are used)", _shared_ids(document, "annotations")
    )


def _shared_ids(document: CocoDocument, key: str) -> list[str]:
    """The locations of the entries that share an id. Entries without one are left out."""
    indices: dict[object, list[int]] = defaultdict(list)
    for index, entry in enumerate(document.entries(key)):
        if isinstance(entry.get("id"), int | float | str):
            indices[entry["id"]].append(index)
    return [
        " and ".join(str(document.location(key, index)) for index in shared)
        for shared in indices.values()
        if len(shared) > 1
    ]


def _check_known(document: CocoDocument, field: str, key: str) -> None:
    """Raise LabelError for all annotations whose `field` is the id of no entry of the list `key`."""
    ids = [entry["id"] for entry in document.entries(key)]
    known = set(ids)
    as_text = {str(known_id): known_id for known_id in known}
    unknown = [
        f"{document.location('annotations', index)} has {field} {annotation[field]!r}"
        + _other_type(as_text.get(str(annotation[field])), key)
        for index, annotation in enumerate(document.annotations)
        if annotation[field] not in known
    ]
    if unknown:
        heading = f"Annotations whose {field} is not in {key} (which have the ids {_list_ids(ids)})"
        raise LabelError(format_errors(heading, unknown, _remedy(document, field, key)))


def _other_type(same_text: int | str | None, key: str) -> str:
    """Where an id differs from a known one in its type only."""
    if same_text is None:
        return ""
    return f", but {key} have it as {'text' if isinstance(same_text, str) else 'a number'}: {same_text!r}"


def _list_ids(ids: Sequence[int | str]) -> str:
    more = f" and {len(ids) - _MAX_SHOWN:,} more" if len(ids) > _MAX_SHOWN else ""
    return (", ".join(repr(known_id) for known_id in ids[:_MAX_SHOWN]) or "none") + more


def _remedy(document: CocoDocument, field: str, key: str) -> str:
    used = {annotation[field] for annotation in document.annotations}
    known = {entry["id"] for entry in document.entries(key)}
    if {str(used_id) for used_id in used} <= {str(known_id) for known_id in known}:
        return f"Write the ids in {key} and in annotations alike, both as numbers or both as text."
    for step in (1, -1):
        if all(isinstance(used_id, int) and used_id + step in known for used_id in used):
            change = "adding 1 to" if step == 1 else "subtracting 1 from"
            return f"All of them would be known after {change} each {field}. If so, correct them in the file."
    return f"Add these to {key}, or remove the annotations."
