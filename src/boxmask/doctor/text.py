"""The report as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from boxmask.data.findings import Kind
from boxmask.doctor.report import SEVERITIES, CheckReport
from boxmask.messages import MAX_LOCATIONS, format_count, printable

_HEADINGS = {"error": "ERRORS", "warning": "WARNINGS", "note": "NOTES"}
_COLORS = {"ERRORS": "bold red", "WARNINGS": "bold yellow", "NOTES": "bold blue"}


def format_report(report: CheckReport) -> str:
    """Kinds by severity: heading and count, the first locations, and the remedy; then the totals."""
    blocks = []
    for severity in SEVERITIES:
        kinds = [kind for kind in report.kinds() if kind.severity == severity]
        if kinds:
            blocks.append(_HEADINGS[severity])
            blocks.extend("\n".join(_kind_lines(report, kind)) for kind in kinds)
    return printable("\n\n".join([*blocks, format_totals(report)]))


def format_totals(report: CheckReport) -> str:
    """One line: what was checked, and the number of findings of each severity."""
    checked = [format_count(report.num_photos, "photo")]
    if report.summary is not None:
        checked.append(format_count(report.summary.objects, "object"))
        checked.append(format_count(len(report.summary.classes), "class"))
    labels = f" ({report.labels})" if report.labels else ""
    return printable(f"{report.data}{labels}: {', '.join(checked)}: {format_counts(report)}")


def format_counts(report: CheckReport) -> str:
    """The number of findings of each severity: "2 errors, 1 warning, 0 notes"."""
    return ", ".join(format_count(report.count(severity), severity) for severity in SEVERITIES)


def _kind_lines(report: CheckReport, kind: Kind) -> Iterator[str]:
    count = report.findings.count(kind)
    yield f"{kind.heading} ({count:,}) [{kind.id}]"
    shown = report.findings.of(kind)[:MAX_LOCATIONS]
    for finding in shown:
        yield "  " + str(finding).replace("\n", "\n  ")
    if count > len(shown):
        yield f"  and {count - len(shown):,} more" if shown else "  too many to be listed"
    yield f"  → {kind.remedy}"


def color_report(text: str) -> Text:
    """The text of a report with colors for a terminal: severities, headings and remedies."""
    colored = Text()
    for line in text.splitlines(keepends=True):
        is_heading = line[:1] not in (" ", "\n")
        style = _COLORS.get(line.strip()) or ("bold" if is_heading else "cyan" if "→" in line[:4] else "")
        colored.append(line, style)
    return colored
