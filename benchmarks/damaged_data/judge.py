"""Compares what a program found with what it must find."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from boxmask.data.findings import Finding
from damaged_data.corpus import Built
from damaged_data.draft import Expected
from damaged_data.sample import Place
from damaged_data.tools.reported import Reported, Tool


@dataclass(frozen=True)
class Verdict:
    """What boxmask found in a damaged data set.

    kind, file, line: whether a finding has the right id; also the right file; also the right line
    false:            findings that are errors or warnings, and neither expected nor implied
    """

    kind: bool
    file: bool
    line: bool
    false: tuple[Finding, ...]


def judge(built: Built, findings: Iterable[Finding]) -> Verdict:
    """Compare the findings of boxmask in a damaged data set with what it must find."""
    found = list(findings)
    matches = [_best_match(built.folder, expected, found) for expected in built.expected]
    kind, file, line = (min(match[level] for match in matches) for level in range(3))
    return Verdict(kind, file, line, tuple(_false(built, found)))


def false_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The errors and warnings in a sound data set."""
    return tuple(finding for finding in findings if finding.kind.severity != "note")


def _best_match(folder: Path, expected: Expected, found: list[Finding]) -> tuple[bool, bool, bool]:
    matches = [_match(folder, expected, finding) for finding in found if finding.kind.id == expected.kind]
    return max(matches, default=(False, False, False))


def _match(folder: Path, expected: Expected, finding: Finding) -> tuple[bool, bool, bool]:
    named = {finding.photo, *finding.related, _relative(folder, finding.location.file)}
    if not set(expected.photos) <= named:
        return True, False, False
    places = [place for place in expected.places if _is_in(place, folder, finding)]
    return True, bool(places), any(_is_line_of(place, finding) for place in places)


def _relative(folder: Path, file: str) -> str:
    path = Path(file)
    relative = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else file
    return "" if relative == "." else relative


def _is_in(place: Place, folder: Path, finding: Finding) -> bool:
    return place.file in (_relative(folder, finding.location.file), finding.photo)


def _is_line_of(place: Place, finding: Finding) -> bool:
    if place.first is None or place.last is None:
        return True
    if (line := finding.location.line) is not None:
        return place.first <= line <= place.last
    return place.entry != "" and place.entry in finding.location.entry


def _false(built: Built, found: list[Finding]) -> Iterable[Finding]:
    for finding in false_findings(found):
        of_kind = [expected for expected in built.expected if expected.kind == finding.kind.id]
        is_expected = any(_match(built.folder, expected, finding)[1] for expected in of_kind)
        if not is_expected and finding.kind.id not in built.implied:
            yield finding


def can_see(tool: Tool, damaged: Built, twin: Built) -> bool:
    """Whether the files that a program opens differ between a damaged data set and its sound twin."""
    return _files(tool, damaged.folder) != _files(tool, twin.folder)


def _files(tool: Tool, folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix.lower() in tool.SUFFIXES
    }


def finds(tool: Tool, built: Built, found: list[Reported], in_twin: list[Reported]) -> bool:
    """Whether another program finds a damage.

    A finding counts that the sound twin does not have, whatever its severity, if it is of the damage's sort
    or names the photo or annotation.
    """
    new = [entry for entry in found if not any(_is_same(entry, other) for other in in_twin)]
    return all(any(_is_of(tool, expected, entry) for entry in new) for expected in built.expected)


def _is_of(tool: Tool, expected: Expected, entry: Reported) -> bool:
    if entry.kind in tool.SORTS.get(expected.kind, ()):
        return True
    return bool(expected.ids.intersection(entry.ids)) or any(name in entry.text for name in expected.names)


def _is_same(entry: Reported, other: Reported) -> bool:
    return (entry.kind, entry.text) == (other.kind, other.text)


def num_false(found: Iterable[Reported]) -> int:
    """The errors and warnings of another program in a sound data set."""
    return sum(entry.severity != "note" for entry in found)
