"""The scales of charts: from values to pixels, with round numbers at the ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from boxmask.comparison.report.numbers import rounded


@dataclass(frozen=True, slots=True)
class Tick:
    """A number beside an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` on pixels from `start` to `end`; logarithmic or not."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a value; one outside the scale lies at its end."""
        value = min(max(value, self.low), self.high)
        if self.is_log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return rounded(self.start + share * (self.end - self.start))

    def ticks(self, most: int = 6) -> list[Tick]:
        """Round numbers, few enough to be read."""
        values = _log_ticks(self.low, self.high) if self.is_log else _ticks(self.low, self.high, most)
        step = -(-len(values) // most)
        return [Tick(self(value), _number(value)) for value in values[::step]]


def fraction_scale(values: list[float], start: float, end: float) -> Scale:
    """A scale of fractions around the values: from 0 if they are low, to 1 if they are high."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = max(0.08 * (high - low), 0.02)
    low = 0.0 if low < 0.25 else max(0.0, math.floor((low - margin) * 20) / 20)
    high = min(1.0, math.ceil((high + margin) * 20) / 20)
    return Scale(low, max(high, low + 0.05), start, end)


def log_scale(values: list[float], start: float, end: float) -> Scale:
    """A logarithmic scale around positive values, over a factor of four at least."""
    low, high = min(values), max(values)
    factor = max(1.25, (4 * low / high) ** 0.5)
    return Scale(low / factor, high * factor, start, end, is_log=True)


def _step(span: float, most: int) -> float:
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= raw), 10 * power)


def _ticks(low: float, high: float, most: int) -> list[float]:
    step = _step(high - low, most)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        values = [factor * 10.0**power for power in powers for factor in factors]
        values = [value for value in values if low <= value <= high]
        if len(values) >= 3:
            break
    return values


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
