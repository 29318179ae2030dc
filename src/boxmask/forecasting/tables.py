"""Tables of a forecast for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from boxmask.evaluation.contract import Interval
from boxmask.evaluation.format import format_interval
from boxmask.forecasting.outlook import CONFIDENCE, CurveOutlook


def overall_table(title: str, curve: CurveOutlook) -> Table:
    """One row for the present photos, and one per number of further photos."""
    table = Table(title=Text(title), title_justify="left")
    for heading in ("more photos", "in all", "metric", f"{CONFIDENCE:.0%} interval", "gain", "interval"):
        table.add_column(heading, justify="right")
    photos = curve.fit.reference
    table.add_row("0", f"{photos:,}", f"{curve.now:.3f}", format_interval(curve.interval), "", "")
    for outlook in curve.outlooks:
        table.add_row(
            f"{outlook.more:,}",
            f"{outlook.photos:,}",
            f"{outlook.metric:.3f}",
            format_interval(outlook.interval),
            f"{outlook.gain:+.3f}",
            format_interval(outlook.gain_interval),
        )
    return table


def class_table(metric: str, per_class: Mapping[str, CurveOutlook]) -> Table:
    """One row per class, the class with the largest gain first."""
    table = Table()
    table.add_column("class")
    first = next(iter(per_class.values()))
    table.add_column(f"{metric} now", justify="right")
    for outlook in first.outlooks:
        table.add_column(f"{outlook.more:,} more", justify="right")
    by_gain = sorted(per_class.items(), key=lambda item: -item[1].outlooks[-1].gain)
    for name, curve in by_gain:
        cells = [_cell(outlook.metric, outlook.interval) for outlook in curve.outlooks]
        table.add_row(Text(name), _cell(curve.now, curve.interval), *cells)
    return table


def _cell(metric: float, interval: Interval) -> str:
    return f"{metric:.2f} ({interval.low:.2f} to {interval.high:.2f})"
