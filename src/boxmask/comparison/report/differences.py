"""The differences between pairs of models, with their intervals about zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from boxmask.comparison.contract import Comparison
from boxmask.comparison.report.numbers import MISSING, rounded, signed
from boxmask.evaluation.intervals.difference import SIGNIFICANCE, Difference

_WIDTH = 200


@dataclass(frozen=True, slots=True)
class PairRow:
    """One pair.

    numbers:    of the models
    difference: the metric of the first minus that of the second
    verdict:    key of the message
    start, length, at: of the interval and the difference on an axis of `_WIDTH` pixels; None without interval
    """

    numbers: tuple[int, int]
    names: tuple[str, str]
    difference: str
    interval: str
    p_value: str
    verdict: str
    start: float | None
    length: float
    at: float


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs. reach: the ends of the axis are at -reach and reach"""

    rows: tuple[PairRow, ...]
    width: int
    reach: str


def make_pairs(comparison: Comparison) -> Pairs | None:
    """None if there is no pair. The surest differences come first."""
    if not comparison.differences:
        return None
    ends = [
        abs(end)
        for each in comparison.differences
        for end in (each.difference or 0.0, *(each.interval or ()))
    ]
    reach = max(*ends, 0.01)
    numbers = {model.name: number for number, model in enumerate(comparison.models)}
    ordered = sorted(comparison.differences, key=lambda each: 1.0 if each.p_value is None else each.p_value)
    rows = [_row(each, numbers, reach) for each in ordered]
    return Pairs(tuple(rows), _WIDTH, f"{reach:.2f}")


def _row(pair: Difference, numbers: Mapping[str, int], reach: float) -> PairRow:
    """The row of a pair: the model with the higher metric first, so that the difference is above 0."""
    if pair.difference is not None and pair.difference < 0:
        pair = pair.reversed()
    names, value, interval = (pair.first, pair.second), pair.difference, pair.interval
    is_real = pair.p_value is not None and pair.p_value < SIGNIFICANCE
    return PairRow(
        numbers=(numbers.get(names[0], 0), numbers.get(names[1], 0)),
        names=names,
        difference=MISSING if value is None else signed(value),
        interval=f"{signed(interval.low)} – {signed(interval.high)}" if interval else MISSING,
        p_value=_p_value(pair.p_value),
        verdict="pair.real" if is_real else "pair.noise" if interval else "pair.unknown",
        start=_pixel(interval.low, reach) if interval else None,
        length=rounded((interval.high - interval.low) / reach * _WIDTH / 2) if interval else 0,
        at=_pixel(value or 0.0, reach),
    )


def _pixel(value: float, reach: float) -> float:
    return rounded(_WIDTH / 2 * (1 + value / reach))


def _p_value(value: float | None) -> str:
    if value is None:
        return MISSING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
