"""Spellings of class names that count as one class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.names import class_name

CLASS_NAME_SPELLINGS = Kind(
    "class-name-spellings",
    "warning",
    "Class names in several spellings, which count as one class",
    "boxmask reads these spellings as one class. Write each name in one way: they differ only in outer "
    "spaces or Unicode form, or are categories with the same name.",
)


Spellings: TypeAlias = Mapping[str, Callable[[], Location]]
"""Class names as written, each with the place where it is written first."""


SpellingPlaces: TypeAlias = Mapping[str, Callable[[], Sequence[Location]]]
"""Class names as written, each with all files that write it so."""


def check_class_names(
    spellings: Spellings, findings: Findings, all_places: SpellingPlaces = MappingProxyType({})
) -> None:
    """Add spellings that count as one class, at the place of one that is not in the standard form."""
    written: dict[str, list[str]] = defaultdict(list)
    for spelling in sorted(spellings):
        written[class_name(spelling)].append(spelling)
    for name, forms in sorted(written.items()):
        if len(forms) > 1:
            nonstandard = next(form for form in forms if form != name)
            places = {form: spellings[form]() for form in forms}
            detail, parts = _describe(name, places), []
            for form in forms:
                if form != name:
                    of_form = all_places[form]() if form in all_places else [places[form]]
                    part = f'{form!r}, read as "{name}"'
                    parts += [Finding(CLASS_NAME_SPELLINGS, place, part) for place in of_form]
            findings.add(Finding(CLASS_NAME_SPELLINGS, places[nonstandard], detail, parts=tuple(parts)))


def _describe(name: str, places: Mapping[str, Location]) -> str:
    """Each spelling with the file and line where it is written first."""
    listed = [f"{form!r} in {replace(place, file=Path(place.file).name)}" for form, place in places.items()]
    return f'"{name}" ({len(places)} spellings): {" and ".join(listed)}'
