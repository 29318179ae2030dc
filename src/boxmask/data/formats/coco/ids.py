"""The ids of a COCO file: unique in their list, and known where annotations refer to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Literal

from boxmask.data.findings import Finding, Findings, Kind
from boxmask.data.formats.coco.document import CocoDocument
from boxmask.data.formats.coco.entries import Entry
from boxmask.data.formats.kinds import ANNOTATION_ID_REPEATED, ID_REPEATED, ID_UNKNOWN

_MAX_SHOWN = 5


def by_id(
    document: CocoDocument, key: Literal["images", "categories"], findings: Findings
) -> dict[int | str, int]:
    """The index of the entry with each id. Of several entries with one id, the first is taken."""
    lists: dict[str, Mapping[int, Entry]] = {"images": document.images, "categories": document.categories}
    index_of: dict[int | str, int] = {}
    pairs = [(index, entry["id"]) for index, entry in lists[key].items()]
    for index, entry_id in pairs:
        index_of.setdefault(entry_id, index)
    if len(index_of) < len(pairs):
        _add_shared(document, key, pairs, ID_REPEATED, findings)
    return index_of


def check_annotation_ids(document: CocoDocument, findings: Findings) -> None:
    """Add annotations that share an id. Nothing refers to these ids."""
    annotations = document.annotations
    ids = [known for known in annotations.ids if known is not None]
    if len(set(ids)) < len(ids):
        pairs = zip(annotations.indices, annotations.ids, strict=True)
        known = [(index, known_id) for index, known_id in pairs if known_id is not None]
        _add_shared(document, "annotations", known, ANNOTATION_ID_REPEATED, findings)


def _add_shared(
    document: CocoDocument,
    key: str,
    pairs: Iterable[tuple[int, Hashable]],
    kind: Kind,
    findings: Findings,
) -> None:
    """Add the entries whose id an earlier one has.

    pairs: the index and the id of each entry
    """
    indices: dict[Hashable, list[int]] = defaultdict(list)
    for index, entry_id in pairs:
        indices[entry_id].append(index)
    repeated = [(first, index) for first, *others in indices.values() for index in others]

    def describe(pair: tuple[int, int]) -> Finding:
        first, index = (document.location(key, index) for index in pair)
        return Finding(kind, index, f"the same id as {first}")

    findings.add_all(kind, repeated, describe)


def find_ids(
    document: CocoDocument,
    field: Literal["image_id", "category_id"],
    index_of: Mapping[int | str, int],
    lost: Collection[Hashable],
    findings: Findings,
) -> list[int]:
    """The index of the image or category of each annotation; -1 for one that is unknown.

    lost: ids of entries that were left out; only other unknown ids are added to the findings
    """
    key = "images" if field == "image_id" else "categories"
    annotations = document.annotations
    ids = annotations.image_ids if field == "image_id" else annotations.category_ids
    found = [index_of.get(known, -1) for known in ids]
    unknown = [row for row, index in enumerate(found) if index < 0 and ids[row] not in lost]
    if not unknown:
        return found
    as_text = {str(known): known for known in index_of}
    known_ids = f"{key} have the ids {_list_ids(list(index_of))}" + _hint(ids, index_of, field, key)

    def describe(row: int) -> Finding:
        difference = _other_type(as_text.get(str(ids[row])), key)
        detail = f"has {field} {ids[row]!r}{difference or f'; {known_ids}'}"
        location = document.location("annotations", annotations.indices[row])
        number = ids[row] if field == "category_id" else None
        class_number = number if isinstance(number, int) else None
        return Finding(ID_UNKNOWN, location, detail, class_number=class_number, num_left_out=1)

    findings.add_all(ID_UNKNOWN, unknown, describe)
    return found


def _other_type(same_text: int | str | None, key: str) -> str:
    """Where an id differs from a known one in its type only."""
    if same_text is None:
        return ""
    kind = "text" if isinstance(same_text, str) else "a number"
    return f", but {key} have it as {kind}: {same_text!r}. Write both as numbers or both as text"


def _list_ids(ids: Sequence[int | str]) -> str:
    more = f" and {len(ids) - _MAX_SHOWN:,} more" if len(ids) > _MAX_SHOWN else ""
    return (", ".join(repr(known_id) for known_id in ids[:_MAX_SHOWN]) or "none") + more


def _hint(ids: Sequence[int | str], known: Collection[int | str], field: str, key: str) -> str:
    """Where all ids would be known if they began at another number."""
    for step in (1, -1):
        if all(isinstance(used_id, int) and used_id + step in known for used_id in ids):
            change = "adding 1 to" if step == 1 else "subtracting 1 from"
            return f"; all would be known after {change} each {field}"
    return ""
