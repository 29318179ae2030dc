"""A finding of another program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Reported:
    """One finding.

    kind:     the program's word for it; "exception" if it stopped with one
    severity: "error", "warning" or "note"
    text:     all that the program says about it, with the names of files
    ids:      of annotations that it names
    """

    kind: str
    severity: str
    text: str
    ids: tuple[int, ...] = ()


PHOTOS = (".jpg", ".jpeg", ".png")
LABELS = (".json", ".xml", ".txt", ".yaml", ".csv")


class Tool(Protocol):
    """A program that checks data sets: a module with these values and a function.

    SUFFIXES: of the files that it opens
    SORTS: which of its words mean a kind of boxmask's; the part of a kind before a comma
    """

    NAME: str
    PACKAGE: str
    FORMATS: tuple[str, ...]
    SUFFIXES: tuple[str, ...]
    SORTS: dict[str, tuple[str, ...]]

    def check(self, folder: Path, format_name: str) -> list[Reported]:
        """Its findings in a data set. May raise anything that the program raises."""
