"""The findings of the doctor, by kind and by photo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from boxmask.data.findings import Finding, Kind
from boxmask.doctor.report import CheckReport


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """All findings of one kind.

    count:  of the findings
    photos: that they are about, by index
    others: the places of those that are about no photo of the data set
    """

    kind: Kind
    count: int
    photos: frozenset[int]
    others: tuple[str, ...]


class FindingIndex:
    """Finds the findings of a photo, and the photos of a kind."""

    def __init__(self, report: CheckReport, files: Sequence[str]) -> None:
        index_of = {file: number for number, file in enumerate(files)}
        self._by_photo: dict[int, list[Finding]] = defaultdict(list)
        self.groups = tuple(self._group(report, kind, index_of) for kind in report.kinds())

    def of_photo(self, photo: int) -> Sequence[Finding]:
        """The findings about a photo."""
        return self._by_photo.get(photo, ())

    def photos_of(self, kind: str) -> frozenset[int] | None:
        """The photos of a kind of findings; None if there is none of this kind."""
        return next((group.photos for group in self.groups if group.kind.id == kind), None)

    def _group(self, report: CheckReport, kind: Kind, index_of: dict[str, int]) -> FindingGroup:
        photos, others = set[int](), list[str]()
        for finding in report.findings.of(kind):
            for part in finding.parts or (finding,):
                names = [part.photo, *part.related]
                found = {index_of[name] for name in names if name in index_of}
                for photo in found:
                    self._by_photo[photo].append(part)
                photos |= found
                if not found:
                    others.append(str(part))
        return FindingGroup(kind, report.findings.count(kind), frozenset(photos), tuple(others[:MAX_OTHERS]))


MAX_OTHERS = 20
"""Findings without a photo that are listed per kind."""
