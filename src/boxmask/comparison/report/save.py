"""Write the report of a comparison to a file."""

from __future__ import annotations

import os
from pathlib import Path

from boxmask.comparison.contract import Comparison
from boxmask.comparison.report.render import render_report
from boxmask.errors import UsageError
from boxmask.outputs import check_replaceable, write_output

_SUFFIXES = (".html", ".htm")


def report_file(path: str | os.PathLike[str] | None) -> Path | None:
    """The file for a report; None without one.

    Raises UsageError for another suffix than .html, and for a file that boxmask did not write.
    """
    if path is None:
        return None
    file = Path(path)
    if file.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"{file}: the report is an HTML page. Choose a file name that ends in .html.")
    check_replaceable([file])
    return file


def save_report(comparison: Comparison, path: str | Path) -> None:
    """Write the report as one HTML file, which opens offline.

    Raises UsageError as `report_file` does, and OutputError if the file cannot be written.
    """
    report_file(path)
    with write_output(Path(path)) as partial:
        partial.write_text(render_report(comparison), encoding="utf-8")
