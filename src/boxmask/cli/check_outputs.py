"""What `boxmask check` prints and writes: the report, its page, a split file, and a mended copy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from boxmask.doctor.report import CheckReport


def check_outputs(json_file: Path | None, html_file: Path | None, write_split: Path | None) -> None:
    """Raise UsageError if the results would replace a file that boxmask did not write."""
    from boxmask.cli.output import check_json_file
    from boxmask.outputs import check_replaceable

    check_json_file(json_file)
    check_replaceable([file for file in (html_file, write_split) if file is not None])


def fix_labels(report: CheckReport, out: Path, photos: Literal["copy", "link"]) -> bool:
    """Write the mended copy, and say what changed. Returns whether errors are left."""
    from boxmask.cli.progress import photo_progress
    from boxmask.doctor.fix.absences import count_absences
    from boxmask.doctor.fix.account import CHANGES_FILE, LEFT_FILE
    from boxmask.doctor.fix.fix import fix_data
    from boxmask.doctor.text import format_counts
    from boxmask.messages import format_count

    with photo_progress("mending") as progress:
        copy = fix_data(report, out, photos=photos, progress=progress)
    lines = [
        f"mended copy: {out}",
        f"  {format_count(len(copy.changes), 'change')}: {out / CHANGES_FILE}",
        f"  before: {format_counts(report)}",
        f"  after:  {format_counts(copy.report)}; what is left: {out / LEFT_FILE}",
    ]
    if copy.absences:
        lines.append(f"  not in the copy: {count_absences(copy.absences)}; see {out / CHANGES_FILE}")
    print("\n".join(lines), file=sys.stderr)
    return copy.has_errors


def print_report(report: CheckReport, json_file: Path | None, *, suggest_fix: bool) -> None:
    """Print the text, or with --json - the JSON; write the JSON file if there is one.

    suggest_fix: whether the text ends with the number of findings that --fix mends, if there are any
    """
    from boxmask.doctor.save import report_as_json, save_json

    if json_file == Path("-"):
        print(report_as_json(report), end="")
        return
    _print_colored(report)
    if suggest_fix and (suggestion := _suggest_fix(report)):
        print(suggestion)
    if json_file is not None:
        save_json(report, json_file)


def _suggest_fix(report: CheckReport) -> str:
    """One line with the number of findings that --fix mends, and the command; "" if it mends none."""
    import shlex

    from boxmask.doctor.fix.mendable import count_mendable
    from boxmask.messages import format_count, printable

    count = count_mendable(report)
    data = shlex.quote(printable(str(report.data)))
    command = f"boxmask check {data} --fix --out DIR"
    return f"{format_count(count, 'finding')} can be mended in a copy: {command}" if count else ""


def _print_colored(report: CheckReport) -> None:
    """Print the report, with colors if stdout is a terminal."""
    from rich.console import Console

    from boxmask.doctor.text import color_report

    console = Console(highlight=False, soft_wrap=True)
    if console.is_terminal:
        console.print(color_report(str(report)))
    else:
        print(report)


def write_new_split(report: CheckReport, file: Path, group_by: str, seed: int) -> None:
    """Write the split file and say where it is."""
    from boxmask.cli.output import print_notes

    print_notes(report.write_split(file, group_by, seed))
    print(f"split: {file}", file=sys.stderr)


def write_page(report: CheckReport, html_file: Path | None) -> None:
    """Write the page and say where it is."""
    from boxmask.doctor.save import save_page

    if html_file is not None:
        save_page(report, html_file)
        print(f"page: {html_file}", file=sys.stderr)
