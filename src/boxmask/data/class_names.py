"""Spellings of class names that count as one class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.names import class_name

CLASS_NAME_SPELLINGS = Kind(
    "class-name-spellings",
    "warning",
    "Names that count as one class",
    "Write each class name in one way: spellings that differ only in Unicode form or outer spaces are the "
    "same class, and so are categories with the same name.",
)


def check_class_names(spellings: Iterable[str], location: Location, findings: Findings) -> None:
    """Add spellings that count as one class.

    spellings: class names as written, in any number
    """
    written: dict[str, set[str]] = defaultdict(set)
    for spelling in set(spellings):
        written[class_name(spelling)].add(spelling)
    for name, forms in sorted(written.items()):
        if len(forms) > 1:
            findings.add(Finding(CLASS_NAME_SPELLINGS, location, f'"{name}" ({len(forms)} spellings)'))
