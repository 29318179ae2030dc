"""The account of a mended copy: what was changed, and what is left to the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from boxmask.data.findings import Findings, Kind
from boxmask.data.formats.contract import Losses
from boxmask.doctor.fix.mending import Change
from boxmask.doctor.report import CheckReport
from boxmask.doctor.text import format_totals, printable
from boxmask.messages import format_count

CHANGES_FILE, DIFF_FILE, LEFT_FILE = "changes.txt", "changes.diff", "left.txt"

KINDS_LEFT_OUT = frozenset(
    (
        "box-not-finite",
        "class-unknown",
        "entry-unreadable",
        "file-unreadable",
        "id-repeated",
        "id-unknown",
        "label-file-shared",
        "outline-few-points",
        "outline-unreadable",
        "outline-wrong-size",
        "photo-ambiguous",
        "photo-listed-twice",
        "photo-missing",
        "shape-unsupported",
    )
)
"""Kinds of what readers leave out, by id."""


def format_changes(report: CheckReport, changes: Sequence[Change], losses: Losses) -> str:
    """The text of changes.txt: one line per change, and what the format cannot hold."""
    counts = Counter(change.kind.id for change in changes)
    lines = [
        f"Mended by boxmask from {report.data}: {format_count(len(changes), 'change')}.",
        *(f"  {count:,} {kind_id}" for kind_id, count in counts.items()),
        "",
        *(" ".join(str(change).split("\n")) for change in changes),
        *_format_losses(losses),
    ]
    return printable("\n".join(lines)) + "\n"


def _format_losses(losses: Losses) -> Iterator[str]:
    listed = list(losses)
    if listed:
        yield ""
        yield "Not written as in the original:"
        for what, photos in listed:
            yield f"  {what} ({len(photos):,}): {', '.join(dict.fromkeys(photos))}"


def find_absent_kinds(report: CheckReport, mended: Collection[Kind]) -> list[Kind]:
    """The kinds of what the copy lacks because boxmask cannot read or write it.

    mended: kinds that were mended, in full or in part
    """
    return [kind for kind in report.kinds() if kind.id in KINDS_LEFT_OUT and kind not in mended]


def format_left(
    report: CheckReport, copy: CheckReport, mended: Collection[Kind], absent_photos: Sequence[str]
) -> str:
    """The text of left.txt: what the copy lacks, and the findings in the copy.

    report, copy:  of the data set, and of its mended copy
    mended:        kinds that were mended, in full or in part
    absent_photos: photos that the copy lacks
    """
    absent = find_absent_kinds(report, mended)
    known = {*copy.findings.kinds, *absent, *mended}
    gone = [kind for kind in report.kinds() if kind not in known and kind.severity != "note"]
    lines = [
        f"Before: {format_totals(report)}",
        f"After:  {format_totals(copy)}",
        *_section("Not in the copy, because boxmask cannot read or write it:", absent, report.findings),
        *_photos(absent_photos),
        *_section("Left as it is, because only you can decide:", copy.kinds(), copy.findings),
        *_headings(gone, report.findings),
    ]
    return printable("\n".join(lines)) + "\n"


def _section(heading: str, kinds: Iterable[Kind], findings: Findings) -> Iterator[str]:
    """Kinds with their remedies and all their findings."""
    for number, kind in enumerate(kinds):
        if number == 0:
            yield from ("", heading)
        yield ""
        yield f"{kind.heading} ({findings.count(kind):,}) [{kind.id}, {kind.severity}]"
        yield from (f"  {finding}" for finding in findings.of(kind))
        if (rest := findings.count(kind) - len(findings.of(kind))) > 0:
            yield f"  and {rest:,} more"
        yield f"  → {kind.remedy}"


def _photos(absent_photos: Sequence[str]) -> Iterator[str]:
    if absent_photos:
        yield from (
            "",
            f"Photos that are not in the copy, because they have no labels ({len(absent_photos):,}):",
        )
        yield from (f"  {photo}" for photo in absent_photos)
        yield "  → Label these photos in the data set, or copy them by hand."


def _headings(kinds: Sequence[Kind], findings: Findings) -> Iterator[str]:
    """Kinds without their findings."""
    if kinds:
        yield from ("", "Found no longer, because of the changes:")
        yield from (f"  {kind.heading} ({findings.count(kind):,}) [{kind.id}]" for kind in kinds)
