"""The account of a mended copy: what was changed, and what is left to the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from boxmask.data.findings import Findings, Kind
from boxmask.data.formats.contract import Losses
from boxmask.doctor.fix.absences import Absence, absent_kinds, count_absences
from boxmask.doctor.fix.mending import Change
from boxmask.doctor.report import CheckReport
from boxmask.doctor.text import format_totals
from boxmask.messages import format_count, printable

CHANGES_FILE, DIFF_FILE, LEFT_FILE = "changes.txt", "changes.diff", "left.txt"


def format_changes(
    report: CheckReport,
    changes: Sequence[Change],
    absences: Sequence[Absence],
    remarks: Iterable[tuple[str, Sequence[str]]],
    losses: Losses,
) -> str:
    """The text of changes.txt: the changes, what the copy lacks, and what its format cannot hold.

    remarks: what else differs from the original: headings, each with its lines
    """
    counts = Counter(change.kind.id for change in changes)
    lines = [
        f"Mended by boxmask from {report.data}: {format_count(len(changes), 'change')}.",
        *(f"  {count:,} {kind_id}" for kind_id, count in counts.items()),
        *([""] if changes else []),
        *(_in_one_line(change) for change in changes),
        *_format_absences(absences),
        *_format_remarks([*_remarks_on_reading(report), *remarks]),
        *_format_losses(losses),
    ]
    return printable("\n".join(lines)) + "\n"


def _in_one_line(entry: Change | Absence) -> str:
    return " ".join(str(entry).split("\n"))


def _format_absences(absences: Sequence[Absence]) -> Iterator[str]:
    if absences:
        yield from ("", f"Not in the copy ({count_absences(absences)}):")
        yield from (f"  {_in_one_line(absence)}" for absence in absences)


def _remarks_on_reading(report: CheckReport) -> Iterator[tuple[str, Sequence[str]]]:
    """How the labels were understood: renamed classes, and the notes of the reader."""
    renames = [f"{rename} (--map)" for rename in report.selection.renames]
    yield "Classes with another name, as OLD=NEW:", renames
    if report.examination is not None:
        yield "Notes on the labels that were read:", report.examination.labels.notes


def _format_remarks(remarks: Iterable[tuple[str, Sequence[str]]]) -> Iterator[str]:
    for heading, lines in remarks:
        if lines:
            yield from ("", heading)
            yield from (f"  {line}" for text in lines for line in text.split("\n"))


def _format_losses(losses: Losses) -> Iterator[str]:
    listed = list(losses)
    if listed:
        yield ""
        yield "Not written as in the original:"
        for what, photos in listed:
            of_photos = [photo for photo in photos if photo]
            places = f" ({len(photos):,}): {', '.join(dict.fromkeys(of_photos))}" if of_photos else ""
            yield f"  {what}{places}"


def format_left(
    report: CheckReport, copy: CheckReport, mended: Collection[Kind], absences: Sequence[Absence]
) -> str:
    """The text of left.txt: why the copy lacks something, and the findings in the copy.

    report, copy: of the data set, and of its mended copy
    mended:       kinds that were mended, in full or in part
    """
    absent = absent_kinds(absences, report)
    known = {*copy.findings.kinds, *absent, *mended}
    gone = [kind for kind in report.kinds() if kind not in known and kind.severity != "note"]
    lines = [
        f"Before: {format_totals(report)}",
        f"After:  {format_totals(copy)}",
        *_section(f"Not in the copy, as {CHANGES_FILE} lists it:", absent, report.findings),
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


def _headings(kinds: Sequence[Kind], findings: Findings) -> Iterator[str]:
    """Kinds without their findings."""
    if kinds:
        yield from ("", "Found no longer, because of the changes:")
        yield from (f"  {kind.heading} ({findings.count(kind):,}) [{kind.id}]" for kind in kinds)
