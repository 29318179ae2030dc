"""How faults in labels are told: what is wrong, the first few places, how many more, and the remedy."""

from __future__ import annotations

from collections.abc import Sequence

PLACES_SHOWN = 5


def complaint(what: str, places: Sequence[str], remedy: str) -> str:
    """One message for all places where the same thing is wrong.

    `what` is a heading ("Boxes that enclose nothing"), each place says file and line, `remedy` what to do.
    """
    shown = "".join(f"\n  {place}" for place in places[:PLACES_SHOWN])
    rest = len(places) - PLACES_SHOWN
    more = f"\n  and {rest} more" if rest > 0 else ""
    return f"{what} ({len(places)}):{shown}{more}\n{remedy}"


def note(what: str, places: Sequence[str]) -> tuple[str, ...]:
    """One line for all places where the same thing was noticed, or nothing where there are none."""
    if not places:
        return ()
    rest = len(places) - PLACES_SHOWN
    more = f", and {rest} more" if rest > 0 else ""
    return (f"{what}: {', '.join(places[:PLACES_SHOWN])}{more}",)
