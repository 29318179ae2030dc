"""Accuracy against speed: one mark per model, with the interval of its metric as a bar."""

from __future__ import annotations

from dataclasses import dataclass

from boxmask.comparison.contract import ComparedModel, Comparison, Speed
from boxmask.comparison.report.numbers import fraction, short
from boxmask.comparison.report.scales import Scale, Tick, fraction_scale, log_scale

_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 28, 40
_REACH = 8
"""Half the width of a mark and a gap, in pixels of the chart."""

_LETTER, _LINE = 7.6, 14
"""Width of a letter and height of a line, about, in pixels of the chart."""

_SAME_RESULTS = ("torch", "onnx")
"""Forms with the same results, up to rounding. The metric of an 8-bit file is another."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A model in one form.

    low, high: the ends of the interval, in pixels; the same as y if there is none
    x_label, y_label: where the name starts; None for a form that is not named
    """

    number: int
    name: str
    form: str
    words: str
    x: float
    y: float
    low: float
    high: float
    x_label: float | None
    y_label: float
    is_main: bool


@dataclass(frozen=True, slots=True)
class SpeedChart:
    """A chart of some size in pixels."""

    width: int
    height: int
    left: int
    top: int
    bottom: int
    marks: tuple[Mark, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def make_speed_charts(comparison: Comparison) -> tuple[SpeedChart, ...]:
    """A wide chart and one for phones; none if fewer than two models have speed and metric."""
    rows = [
        (number, model, model.evaluation[comparison.metric], measured)
        for number, model in enumerate(comparison.models)
        if (measured := [speed for speed in model.speeds if speed.form in _SAME_RESULTS])
    ]
    shown = [(number, model, value, speeds) for number, model, value, speeds in rows if value is not None]
    if len(shown) < 2:
        return ()
    return tuple(_chart(comparison.metric, shown, *size) for size in ((860, 400), (360, 360)))


_Row = tuple[int, ComparedModel, float, list[Speed]]


def _chart(metric: str, rows: list[_Row], width: int, height: int) -> SpeedChart:
    heights = [end for _, model, value, _ in rows for end in (value, *_ends(model, metric, value))]
    times = [speed.median_ms for *_, speeds in rows for speed in speeds]
    across = log_scale(times, _LEFT + 12, width - _RIGHT - 12)
    up = fraction_scale(heights, height - _BOTTOM, _TOP)
    places = [(across(speed.median_ms), up(value)) for *_, value, speeds in rows for speed in speeds]
    taken = [(x - _REACH, x + _REACH, y + 4) for x, y in places]
    marks = [
        mark
        for row in sorted(rows, key=lambda row: -row[2])
        for mark in _marks(row, metric, across, up, width, taken)
    ]
    ticks = tuple(across.ticks(8 if width > 500 else 4)), tuple(up.ticks())
    return SpeedChart(width, height, _LEFT, _TOP, height - _BOTTOM, tuple(marks), *ticks)


def _ends(model: ComparedModel, metric: str, value: float) -> tuple[float, float]:
    interval = model.evaluation.interval(metric)
    return (value, value) if interval is None else (interval.low, interval.high)


def _marks(
    row: _Row, metric: str, across: Scale, up: Scale, width: int, taken: list[tuple[float, float, float]]
) -> list[Mark]:
    number, model, value, speeds = row
    low, high = _ends(model, metric, value)
    marks = []
    for index, speed in enumerate(speeds):
        x, y = across(speed.median_ms), up(value)
        place = _free_place(model.name, x, y, width, taken) if index == 0 else None
        words = f"{model.name} ({speed.form}): {metric} {fraction(value)}, {short(speed.median_ms)} ms"
        x_label, y_label = place or (None, 0.0)
        both = up(low), up(high)
        marks.append(
            Mark(number, model.name, speed.form, words, x, y, *both, x_label, y_label, is_main=index == 0)
        )
    return marks


def _free_place(
    name: str, x: float, y: float, width: int, taken: list[tuple[float, float, float]]
) -> tuple[float, float]:
    """Where the name is written: beside the mark, or a few lines above or below if another name is there."""
    length = len(name) * _LETTER
    left = x + 11 if x + 11 + length < width else max(2.0, x - 11 - length)
    for step in (0, -1, 1, -2, 2, -3, 3, -4, 4):
        base = y + 4 + step * _LINE
        is_free = all(
            abs(base - other) >= _LINE or left + length < start or left > end for start, end, other in taken
        )
        if is_free and base > _TOP - 4:
            break
    taken.append((left, left + length, base))
    return left, base
