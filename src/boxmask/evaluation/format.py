"""Format metrics and counts as text."""

from __future__ import annotations

from boxmask.evaluation.contract import Interval

MISSING = "–"  # in place of a metric that could not be measured


def format_fraction(fraction: float | None) -> str:
    """A fraction with three decimals, or a dash for None."""
    return MISSING if fraction is None else f"{fraction:.3f}"


def format_interval(interval: Interval | None) -> str:
    """An interval as "0.880 to 0.930", or nothing for None."""
    return "" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"
