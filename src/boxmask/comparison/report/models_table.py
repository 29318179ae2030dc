"""The table of the models: metric, speed, training and size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from boxmask.comparison.contract import ComparedModel, Comparison, Speed
from boxmask.comparison.report.numbers import fraction, large, rounded, short
from boxmask.comparison.report.scales import Scale, fraction_scale

MORE_METRICS = {
    "AP": ("AP50",),
    "mask_AP": ("mask_AP50", "AP"),
    "mIoU": ("pixel_accuracy",),
    "accuracy": ("mean_accuracy",),
}
"""Metrics that are shown beside the one that decides."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. key: of its heading in the messages; form: of the model, for speeds"""

    key: str
    form: str
    cells: tuple[str, ...]
    best: int | None


@dataclass(frozen=True, slots=True)
class IntervalBar:
    """An interval and its metric in percent of the width of the bar, which has the same scale in all rows."""

    start: float
    length: float
    at: float


@dataclass(frozen=True, slots=True)
class ModelRow:
    """The head of a row: the model, its metric and the interval of the metric.

    tainted: the number of evaluated photos that the model has seen in training
    """

    number: int
    name: str
    metric: str
    interval: str
    bar: IntervalBar | None
    tainted: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelsTable:
    """All models, the best first."""

    rows: tuple[ModelRow, ...]
    columns: tuple[Column, ...]


def make_models_table(comparison: Comparison) -> ModelsTable:
    """The table; columns without a single value are left out."""
    order = ranked(comparison)
    models = [comparison.models[number] for number in order]
    scale = fraction_scale(_ends(comparison), 0, 100)
    rows = tuple(_row(number, comparison, scale) for number in order)
    more = [_metric_column(name, models) for name in MORE_METRICS.get(comparison.metric, ())]
    forms = list(dict.fromkeys(speed.form for model in models for speed in model.speeds))
    columns = [
        *more,
        *(_speed_column("median_ms", form, models, lambda speed: speed.median_ms) for form in forms),
        _column("minutes", models, _minutes),
        _column("training_mb", models, _training_mb),
        _column("file_mb", models, _file_mb),
        _counts("parameters", models, [model.parameters for model in models]),
        _counts("operations", models, [model.operations for model in models]),
        *(_speed_column("p95_ms", form, models, lambda speed: speed.p95_ms) for form in forms),
        *(_speed_column("memory_mb", form, models, lambda speed: speed.peak_memory_mb) for form in forms),
    ]
    return ModelsTable(rows, tuple(column for column in columns if column is not None))


def ranked(comparison: Comparison) -> list[int]:
    """The indices of the models, the highest metric first."""
    values = [model.evaluation[comparison.metric] for model in comparison.models]
    return sorted(range(len(values)), key=lambda index: -(values[index] or 0.0))


def _ends(comparison: Comparison) -> list[float]:
    """The ends of all intervals."""
    intervals = [model.evaluation.interval(comparison.metric) for model in comparison.models]
    return [end for interval in intervals if interval is not None for end in interval]


def _row(number: int, comparison: Comparison, scale: Scale) -> ModelRow:
    model = comparison.models[number]
    evaluation = model.evaluation
    value, interval = evaluation[comparison.metric], evaluation.interval(comparison.metric)
    bar, text = None, ""
    if interval is not None and value is not None:
        text = f"{interval.low:.3f} – {interval.high:.3f}"
        start, end = scale(interval.low), scale(interval.high)
        bar = IntervalBar(start, rounded(end - start), scale(value))
    seen = evaluation.seen
    tainted = 0 if seen is None else len(seen.photos)
    return ModelRow(number, model.name, fraction(value), text, bar, tainted, tuple(evaluation.notes))


def _minutes(model: ComparedModel) -> float | None:
    return None if model.training is None else model.training.minutes


def _training_mb(model: ComparedModel) -> float | None:
    return None if model.training is None else model.training.peak_memory_mb


def value_of(model: ComparedModel, metric: str) -> float | None:
    """A metric of a model; None if its evaluation does not have it."""
    if metric not in model.evaluation:
        return None
    return model.evaluation[metric]


def _file_mb(model: ComparedModel) -> float | None:
    return next((speed.file_mb for speed in model.speeds if speed.file_mb is not None), None)


# ---------------------------------------------------------------- columns


def _metric_column(name: str, models: Sequence[ComparedModel]) -> Column | None:
    values = [value_of(model, name) for model in models]
    if all(value is None for value in values):
        return None
    return Column(name, "", tuple(map(fraction, values)), _best(values, lowest=False))


def _speed_column(
    key: str, form: str, models: Sequence[ComparedModel], part: Callable[[Speed], float]
) -> Column:
    """A part of the speed of one form. key: of the heading"""
    speeds = [next((speed for speed in model.speeds if speed.form == form), None) for model in models]
    values = [None if speed is None else part(speed) for speed in speeds]
    return Column(key, form, tuple(map(short, values)), _best(values))


def _column(
    key: str, models: Sequence[ComparedModel], part: Callable[[ComparedModel], float | None]
) -> Column | None:
    values = [part(model) for model in models]
    known = any(value is not None for value in values)
    return Column(key, "", tuple(map(short, values)), _best(values)) if known else None


def _counts(key: str, models: Sequence[ComparedModel], values: Sequence[int | None]) -> Column | None:
    known = any(value is not None for value in values)
    return Column(key, "", tuple(map(large, values)), _best(values)) if known else None


def _best(values: Sequence[float | None], *, lowest: bool = True) -> int | None:
    """The index of the best value; None unless there are several."""
    known = [(value if lowest else -value, index) for index, value in enumerate(values) if value is not None]
    return min(known)[1] if len(known) > 1 else None
