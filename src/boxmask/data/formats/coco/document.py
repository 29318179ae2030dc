"""One COCO JSON file, read and checked for the fields that every entry must have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

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
    lost_ids:   of images that cannot be read
    """

    file: str
    images: dict[int, Entry]
    categories: dict[int, Entry]
    annotations: Annotations
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
        images, lost = _read_list(entries, "images", parse_image, ("id", "file_name"), findings)
        categories, _ = _read_list(entries, "categories", parse_category, ("id", "name"), findings)
        annotations = read_annotations(entries, findings)
    except LabelError as error:
        findings.add(finding_of_error(FILE_UNREADABLE, path, error))
        return None
    return CocoDocument(file, images, categories, annotations, entries, lost)


def _read_list(
    entries: CocoEntries,
    key: str,
    parse: Callable[[object], str | None],
    fields: Sequence[str],
    findings: Findings,
) -> tuple[dict[int, Entry], set[Hashable]]:
    """The entries of a list by index, and the ids of those that cannot be read.

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
        findings.add(Finding(ENTRY_UNREADABLE, entries.location(key, index), error or ""))
        known_id = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(known_id, int | float | str):
            lost.add(known_id)
    entries.check_repeated_keys(key, {field: present[field] for field in fields})
    return read, lost
