"""Write the report to a file, as a page or as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from boxmask.doctor.json_report import report_to_dict
from boxmask.doctor.page.render import render_page
from boxmask.doctor.report import CheckReport
from boxmask.errors import UsageError
from boxmask.outputs import write_output


def report_as_json(report: CheckReport) -> str:
    """The report as the text of a JSON file."""
    return json.dumps(report_to_dict(report), indent=1, allow_nan=False) + "\n"


def save_report(report: CheckReport, path: Path) -> None:
    """Write a page (.html, .htm) or JSON (.json).

    Raises UsageError for another suffix, and for a file that boxmask did not write. Raises OutputError.
    """
    suffix = path.suffix.lower()
    if suffix not in (".html", ".htm", ".json"):
        raise UsageError(f"{path}: the report is written as .html or .json. Choose one of these endings.")
    (save_json if suffix == ".json" else save_page)(report, path)


def save_json(report: CheckReport, path: Path) -> None:
    """Write JSON. Raises UsageError for a file that boxmask did not write, and OutputError."""
    with write_output(path) as partial:
        partial.write_text(report_as_json(report), encoding="utf-8")


def save_page(report: CheckReport, path: Path) -> None:
    """Write the page. Raises UsageError for a file that boxmask did not write, and OutputError."""
    with write_output(path) as partial:
        partial.write_text(render_page(report), encoding="utf-8")
