"""The table of where the weights of a new network are from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from boxmask.training.progress import Report
from boxmask.weights.transfer import PartOrigin

HEADER = ("part", "from", "classes, or why it is new")
NEW = "new"


def show_origins(report: Report, parts: Sequence[PartOrigin]) -> None:
    """Show a table on a terminal, and elsewhere the same as plain lines."""
    rows = [(part.part, part.origin or NEW, part.detail) for part in parts]
    if not report.console.is_terminal:
        for line in plain_lines([HEADER, *rows]):
            report.message(line)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in HEADER:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*row, style="yellow" if row[1] == NEW else None)
    report.console.print(table, highlight=False, markup=False)


def plain_lines(rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """The rows as lines, with aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for part, origin, detail in rows:
        yield f"{part:<{widths[0]}}  {origin:<{widths[1]}}  {detail}".rstrip()
