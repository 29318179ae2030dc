"""Numbers as the page shows them."""

from __future__ import annotations

MISSING = "–"


def fraction(value: float | None) -> str:
    """A metric with three digits."""
    return MISSING if value is None else f"{value:.3f}"


def signed(value: float) -> str:
    """A difference with its sign and three digits."""
    return f"{value:+.3f}".replace("-", "−")


def percent(value: float | None) -> str:
    """A share in whole percent, with one digit below 10 %."""
    if value is None:
        return MISSING
    return f"{100 * value:.1f} %" if 0 < abs(value) < 0.0995 else f"{100 * value:.0f} %"


def short(value: float | None) -> str:
    """A number with about three digits: 0.42, 7.3, 1,250."""
    if value is None:
        return MISSING
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def large(value: int | None) -> str:
    """A large number: 3.5 M, 12.1 G."""
    if value is None:
        return MISSING
    for power, unit in ((9, "G"), (6, "M"), (3, "k")):
        if value >= 10**power:
            return f"{short(value / 10**power)} {unit}"
    return str(value)


def rounded(value: float) -> float | int:
    """A coordinate with one digit, without ".0"."""
    tenths = round(value, 1)
    return int(tenths) if tenths == int(tenths) else tenths
