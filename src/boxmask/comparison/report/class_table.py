"""The metric of each class, for each model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from boxmask.comparison.contract import Comparison
from boxmask.comparison.report.models_table import ranked
from boxmask.comparison.report.numbers import fraction, rounded

MAX_CLASSES = 100
"""Classes that are shown, those with the most objects first."""

_METRICS = {"AP": "AP", "mask_AP": "mask_AP", "mIoU": "IoU", "accuracy": "recall"}
"""The metric of a class, by the metric that decides."""


@dataclass(frozen=True, slots=True)
class ClassCell:
    """The metric of one model. percent: of the width of its bar"""

    number: int
    text: str
    percent: float


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class. count: of its objects or photos; "" if unknown"""

    name: str
    count: str
    cells: tuple[ClassCell, ...]


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Models are columns, the best first. hidden: the number of classes that are not shown"""

    metric: str
    models: tuple[tuple[int, str], ...]
    rows: tuple[ClassRow, ...]
    has_counts: bool
    hidden: int


def make_class_table(comparison: Comparison) -> ClassTable | None:
    """None if the evaluations have no classes."""
    order = ranked(comparison)
    tables = {number: _per_class(comparison, number) for number in order}
    names = list(dict.fromkeys(name for table in tables.values() for name in table))
    if not names:
        return None
    counts = {name: _count(tables, name) for name in names}
    names.sort(key=lambda name: -(counts[name] or 0))
    metric = _METRICS.get(comparison.metric, comparison.metric)
    rows = tuple(
        ClassRow(
            name,
            "" if counts[name] is None else f"{counts[name]:,}",
            tuple(_cell(number, tables[number].get(name, {}).get(metric)) for number in order),
        )
        for name in names[:MAX_CLASSES]
    )
    models = tuple((number, comparison.models[number].name) for number in order)
    has_counts = any(count is not None for count in counts.values())
    return ClassTable(metric, models, rows, has_counts, len(names) - len(rows))


def _per_class(comparison: Comparison, number: int) -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = comparison.models[number].evaluation.to_dict().get("per_class", {})
    return table


def _count(tables: dict[int, dict[str, dict[str, Any]]], name: str) -> int | None:
    of_class = [table[name] for table in tables.values() if name in table]
    counts = [values[key] for values in of_class for key in ("objects", "images") if key in values]
    return max(counts, default=None)


def _cell(number: int, value: float | None) -> ClassCell:
    return ClassCell(number, fraction(value), rounded(100 * (value or 0.0)))
