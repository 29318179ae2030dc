"""The table of what failed in the detections for the terminal."""

from __future__ import annotations

from rich.table import Table

from boxmask.evaluation.detection.failures.analysis import ErrorBreakdown
from boxmask.evaluation.format import format_fraction

DESCRIPTIONS = {
    "class": "object of another class",
    "location": "fits badly",
    "both": "another class, fits badly",
    "duplicate": "object is found twice",
    "background": "nothing is labeled there",
    "missed": "no detection near it",
}


def error_table(errors: ErrorBreakdown) -> Table:
    """The AP50 that each kind of error costs, and how many there are."""
    table = Table(
        title=f"what each kind of error costs, of AP50 {format_fraction(errors.AP50)}", title_justify="left"
    )
    table.add_column("error")
    table.add_column("what is wrong")
    table.add_column("AP50 lost", justify="right")
    table.add_column("errors", justify="right")
    table.add_column("at recommended\nminimum scores", justify="right")
    for error in errors.types:
        counts = f"{error.count:,}", f"{error.count_kept:,}"
        table.add_row(error.name, DESCRIPTIONS[error.name], format_fraction(error.lost_AP), *counts)
    return table
