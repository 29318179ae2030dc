"""Format metrics and counts as text."""

from __future__ import annotations

from boxmask.evaluation.contract import Interval
from boxmask.evaluation.seen_photos import ENOUGH
from boxmask.messages import format_count

MISSING = "–"  # in place of a metric that could not be measured


def format_fraction(fraction: float | None) -> str:
    """A fraction with three decimals, or a dash for None."""
    return MISSING if fraction is None else f"{fraction:.3f}"


def format_interval(interval: Interval | None) -> str:
    """An interval as "0.880 to 0.930", or nothing for None."""
    return "" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"


def describe_resamples(resamples: int, groups: int, photos: int) -> str:
    """What intervals were computed from, in a line below a table."""
    drawn = format_count(photos, "photo")
    if groups != photos:
        drawn = f"{format_count(groups, 'group')} of {drawn}"
    few = "" if groups >= ENOUGH else f"; with fewer than {ENOUGH}, intervals are rough"
    return f"intervals from {resamples:,} resamples of the {drawn}{few}"
