"""The tables of a benchmark for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from boxmask.benchmarking.report import BenchmarkRow

SMALL = 0.005  # shares below this are shown as "<1 %"
MISSING = "-"


def speed_table(rows: Sequence[BenchmarkRow]) -> Table:
    """Latency, throughput and memory of all rows."""
    table = Table(box=None, padding=(0, 1, 0, 0))  # fits into 80 columns
    table.add_column("model", overflow="fold")
    table.add_column("format", no_wrap=True)
    for title in ("threads", "batch", "ms", "95 %", "photos/s", "files/s", "ratio", "MB"):
        table.add_column(title, justify="right", no_wrap=True)
    names = short_names([row.model for row in rows])
    shown = ""
    for row in rows:
        title, shown = "" if row.model == shown else names[row.model], row.model
        cells = (
            _number(row.median_ms),
            _number(row.p95_ms),
            _number(row.photos_per_second),
            _number(row.photos_per_second_from_files),
            _number(row.ratio),
            f"{row.memory_mb:,.0f}",
        )
        table.add_row(title, row.format, str(row.threads), str(row.batch), *cells)
    return table


def shares_table(shares: Mapping[str, Mapping[str, float]]) -> Table:
    """Where the time goes: for each model its parts, the largest first."""
    table = Table("where the time goes", "", box=None, pad_edge=False)
    table.add_column("share", justify="right")
    names = short_names(list(shares))
    for model, parts in shares.items():
        title = names[model]
        for part, share in sorted(parts.items(), key=lambda item: -item[1]):
            table.add_row(title, part, f"{share:.0%}" if share >= SMALL else "<1%")
            title = ""
    return table


def short_names(models: Sequence[str]) -> dict[str, str]:
    """The last part of each path, or the whole path where two would look the same."""
    names = {model: Path(model).name or model for model in models}
    counts = list(names.values())
    return {model: model if counts.count(name) > 1 else name for model, name in names.items()}


def _number(value: float | None) -> str:
    """A number with three digits or more."""
    if value is None:
        return MISSING
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
