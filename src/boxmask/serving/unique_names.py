"""Names that differ."""

from __future__ import annotations

from collections.abc import Sequence


def unique_names(bases: Sequence[str]) -> list[str]:
    """The names, of which those that are equal get a number: a, a-2."""
    names: list[str] = []
    for base in bases:
        number, name = 1, base
        while name in names:
            number += 1
            name = f"{base}-{number}"
        names.append(name)
    return names
