"""Findings: what is wrong, or may be wrong, with photos and labels.

Readers and checks add findings to a `Findings` and continue; they do not stop at the first. The caller
decides: training stops at errors, `boxmask check` lists all findings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from boxmask.cache_folder import with_archive_names
from boxmask.errors import BoxmaskError, LabelError
from boxmask.messages import MAX_LOCATIONS, format_errors, format_note

_Item = TypeVar("_Item")

Severity = Literal["error", "warning", "note"]
Box = tuple[float, float, float, float]

MAX_PER_KIND = 10_000
"""More findings of one kind are counted, but not kept, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding.

    id:       words with hyphens, which never change: "box-outside-photo"
    severity: "error" if the labels are certainly wrong or cannot be read, "warning" if they are probably
              wrong, "note" if they may well be right
    heading:  what is wrong, in the plural, without a full stop: "Boxes outside their photo"
    remedy:   what to do, in full sentences
    """

    id: str
    severity: Severity
    heading: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Location:
    """Where a finding is: a file, and its line and entry, if they are known.

    file:  its path
    line:  counted from 1
    entry: for files of many entries, such as "annotations[17] (id 303)"
    """

    file: str
    line: int | None = None
    entry: str = ""

    @property
    def shown_file(self) -> str:
        """The file for the user: one in an unpacked archive is named as a member of it."""
        return with_archive_names(self.file)

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        entry = f": {self.entry}" if self.entry else ""
        return f"{self.shown_file}{line}{entry}"


@dataclass(frozen=True, slots=True)
class ModelDetection:
    """What a model found at the place of a finding.

    name:  of the class, as the model calls it
    score: 0..1
    box:   x1, y1, x2, y2 in pixels of the photo as shown; None for the class of a whole photo
    """

    name: str
    score: float
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where something is wrong, or may be.

    detail:       what was found, and what was expected
    photo:        path of the photo relative to the data set's root, with "/"; "" if it is about no photo
    box:          x1, y1, x2, y2 in pixels of the photo as shown, to draw
    related:      paths of other photos or files that are part of it, such as the copies of a photo
    detection:    what a model found there
    class_number: the number or id in the labels that no class has, of an object that was left out for it
    num_left_out: number of objects that the reader leaves out because of it, as far as it can count them
    parts:        the findings that it stands for, if it joins several, one per place
    """

    kind: Kind
    location: Location
    detail: str = ""
    photo: str = ""
    box: Box | None = None
    related: tuple[str, ...] = ()
    detection: ModelDetection | None = None
    class_number: int | None = None
    num_left_out: int = 0
    parts: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        return f"{self.location}: {self.detail}" if self.detail else str(self.location)


class FoundErrorsError(LabelError):
    """There are errors among the findings. The message lists them."""


def finding_of_error(kind: Kind, path: Path, error: BoxmaskError, photo: str = "") -> Finding:
    """The finding for an error about a file, with the line of the error if it is in that file."""
    if error.file != str(path):
        return Finding(kind, Location(str(path)), str(error), photo)
    column = f"column {error.column}: " if error.column is not None else ""
    return Finding(kind, Location(str(path), error.line), column + error.reason, photo)


class Findings:
    """Collects findings, in the order in which they are added."""

    def __init__(self, max_per_kind: int = MAX_PER_KIND) -> None:
        self.max_per_kind = max_per_kind
        self._by_kind: dict[Kind, list[Finding]] = {}
        self._counts: Counter[Kind] = Counter()

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it unless there are many of its kind."""
        self._counts[finding.kind] += 1
        kept = self._by_kind.setdefault(finding.kind, [])
        if len(kept) < self.max_per_kind:
            kept.append(finding)

    def add_all(self, kind: Kind, items: Iterable[_Item], describe: Callable[[_Item], Finding]) -> None:
        """Add a finding per item. Only those that are kept are described, so that many cost little."""
        for item in items:
            kept = self._by_kind.setdefault(kind, [])
            if len(kept) < self.max_per_kind:
                kept.append(describe(item))
            self._counts[kind] += 1

    def add_from(self, findings: Findings, change: Callable[[Finding], Finding]) -> None:
        """Add other findings, each changed."""
        for kind in findings.kinds:
            self.add_all(kind, findings.of(kind), change)
            self._counts[kind] += findings.count(kind) - len(findings.of(kind))

    def remove(self, kind: Kind, is_removed: Callable[[Finding], bool]) -> None:
        """Remove findings of a kind. Those that were only counted stay counted: nothing tells about them."""
        kept = [finding for finding in self._by_kind[kind] if not is_removed(finding)]
        self._counts[kind] -= len(self._by_kind[kind]) - len(kept)
        self._by_kind[kind] = kept
        if not self._counts[kind]:
            self.remove_all(kind)

    def remove_all(self, kind: Kind) -> None:
        """Remove all findings of a kind, also those that were only counted."""
        del self._by_kind[kind], self._counts[kind]

    def remove_boxes(self, photos: Collection[str]) -> None:
        """Remove the boxes of the findings about some photos, on which they cannot be drawn."""
        for kind, kept in self._by_kind.items():
            self._by_kind[kind] = [
                replace(finding, box=None) if finding.box and finding.photo in photos else finding
                for finding in kept
            ]

    def __iter__(self) -> Iterator[Finding]:
        """All findings that are kept, kind by kind."""
        for kept in self._by_kind.values():
            yield from kept

    def __len__(self) -> int:
        return self._counts.total()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that were found, in the order of their first finding."""
        return tuple(self._by_kind)

    def of(self, kind: Kind) -> tuple[Finding, ...]:
        """The findings of one kind that are kept."""
        return tuple(self._by_kind.get(kind, ()))

    def count(self, kind: Kind) -> int:
        """The number of findings of one kind, kept or not."""
        return self._counts[kind]

    def message(self, kind: Kind, total: int | None = None) -> str:
        """The findings of one kind as an error: heading, first locations, and remedy.

        total: number of checked entries, from which the share of wrong ones is computed
        """
        lines = [str(finding) for finding in self.of(kind)[:MAX_LOCATIONS]]
        return format_errors(kind.heading, lines, kind.remedy, total, self.count(kind))

    def raise_errors(self) -> None:
        """Raise FoundErrorsError with all kinds that are errors."""
        if errors := [self.message(kind) for kind in self.kinds if kind.severity == "error"]:
            raise FoundErrorsError("\n".join(errors))

    def note(self, kind: Kind, heading: str = "") -> tuple[str, ...]:
        """The findings of one kind as a note; none if there are none.

        heading: in place of the one of the kind with the number of findings
        """
        lines = [str(finding) for finding in self.of(kind)]
        rest = self.count(kind) - len(lines)
        heading = heading or f"{kind.heading} ({self.count(kind):,})"
        more = f"and {rest:,} more" if lines else "too many to be listed"
        return format_note(heading, [*lines, more] if rest else lines)

    def notes(self) -> tuple[str, ...]:
        """A note per kind that is no error."""
        return tuple(note for kind in self.kinds if kind.severity != "error" for note in self.note(kind))
