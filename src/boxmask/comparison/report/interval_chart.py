"""The metric of each model as a point with its interval, one below the other."""

from __future__ import annotations

from dataclasses import dataclass

from boxmask.comparison.contract import Comparison
from boxmask.comparison.report.models_table import MORE_METRICS, ranked, value_of
from boxmask.comparison.report.numbers import fraction
from boxmask.comparison.report.scales import Tick, fraction_scale

_LINE, _TOP, _BOTTOM = 40, 6, 30


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """A model, or a metric of the only model. low, high: ends of the interval in pixels"""

    number: int
    name: str
    text: str
    y: float
    x: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """A chart of some size in pixels."""

    width: int
    height: int
    rows: tuple[IntervalRow, ...]
    ticks: tuple[Tick, ...]


def make_interval_chart(comparison: Comparison) -> IntervalChart | None:
    """The best model first; the metrics of a single model. None if nothing was measured."""
    metrics: tuple[str, ...] = (comparison.metric,)
    if len(comparison.models) == 1:
        metrics += MORE_METRICS.get(comparison.metric, ())
    entries = []
    for number in ranked(comparison):
        model = comparison.models[number]
        for metric in metrics:
            value = value_of(model, metric)
            if value is not None:
                ends = model.evaluation.interval(metric) or (value, value)
                name = model.name if len(comparison.models) > 1 else metric
                entries.append((number, name, value, ends[0], ends[1]))
    if not entries:
        return None
    width, height = 360, _TOP + _LINE * len(entries) + _BOTTOM
    across = fraction_scale([end for _, _, *values in entries for end in values], 10, width - 10)
    rows = tuple(
        IntervalRow(
            number,
            name,
            fraction(value) + (f" [{low:.2f}, {high:.2f}]" if high > low else ""),
            _TOP + _LINE * index + 26,
            across(value),
            across(low),
            across(high),
        )
        for index, (number, name, value, low, high) in enumerate(entries)
    )
    return IntervalChart(width, height, rows, tuple(across.ticks()))
