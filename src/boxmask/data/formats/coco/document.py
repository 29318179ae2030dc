"""One COCO JSON file, read and checked for the fields that every entry must have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from boxmask.data.findings import Finding, Findings, Location, finding_of_error
from boxmask.data.formats.coco.annotations import Annotations, read_annotations
from boxmask.data.formats.coco.entries import CocoEntries, Entry, read_entries
from boxmask.data.formats.coco.values import parse_category, parse_image
from boxmask.data.formats.kinds import ENTRY_UNREADABLE, FILE_UNREADABLE, report_encoding
from boxmask.data.split_words import split_from_path
from boxmask.errors import LabelError


@dataclass(frozen=True)
class CocoDocument:
    """The entries of a COCO file that can be read.

    file:       relative to the root
    images:     by their index in the list of the file
    categories: by their index in the list of the file
    num_annotations: by the id of their image
    lost_ids:   of images that cannot be read
    """

    file: str
    images: dict[int, Entry]
    categories: dict[int, Entry]
    annotations: Annotations
    num_annotations: Counter[Hashable]
    entries: CocoEntries
    lost_ids: set[Hashable]

    @property
    def split(self) -> str | None:
        """The split that the name of the file or of its folder contains."""
        return split_from_path(self.file)

    def location(self, key: str, index: int) -> Location:
        """File, line, index and id of an entry of "images", "annotations" or "categories"."""
        return self.entries.location(key, index)


def read_document(root: Path, file: str, findings: Findings) -> CocoDocument | None:
    """Read a file, check its entries and bring their values to the standard form (see `values.py`).

    Entries that cannot be read are left out and added to the findings. A file that cannot be read gives None.
    """
    path = root / file
    try:
        entries = read_entries(path, report_encoding(path, findings))
        annotations = read_annotations(entries, findings)
        counts = Counter[Hashable](annotations.image_ids)
        images, lost = _read_list(entries, "images", parse_image, ("id", "file_name"), findings, counts)
        categories, _ = _read_list(entries, "categories", parse_category, ("id", "name"), findings)
    except LabelError as error:
        findings.add(finding_of_error(FILE_UNREADABLE, path, error))
        return None
    return CocoDocument(file, images, categories, annotations, counts, entries, lost)


def _read_list(
    entries: CocoEntries,
    key: str,
    parse: Callable[[object], str | None],
    fields: Sequence[str],
    findings: Findings,
    num_annotations: Mapping[Hashable, int] = MappingProxyType({}),
) -> tuple[dict[int, Entry], set[Hashable]]:
    """The entries of a list by index, and the ids of those that cannot be read.

    num_annotations: that are left out with an entry, by its id

    Raises LabelError for entries that hold one of the fields twice with different values.
    """
    read, lost, present = dict[int, Entry](), set[Hashable](), Counter[str]()
    for index in range(len(entries.lists[key])):
        entry = entries.entry(key, index)
        if isinstance(entry, dict):
            present.update(field for field in fields if field in entry)
        error = parse(entry)
        if error is None and isinstance(entry, dict):
            read[index] = entry
            continue
        known_id = entry.get("id") if isinstance(entry, dict) else None
        known_id = known_id if isinstance(known_id, int | float | str) else None
        count = 0 if known_id in lost else num_annotations.get(known_id, 0)
        location = entries.location(key, index)
        findings.add(Finding(ENTRY_UNREADABLE, location, error or "", num_left_out=count))
        lost.update(() if known_id is None else (known_id,))
    entries.check_repeated_keys(key, {field: present[field] for field in fields})
    return read, lost
