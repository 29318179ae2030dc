"""How faults in labels are told: what is wrong, where, and what to do.

An error shows the first few places and how many more there are. A note, which stops nobody and may be read
later, names all of them, one a line; `shorten` makes a line for the terminal of it.
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_LOCATIONS = 5


def format_errors(what: str, places: Sequence[str], remedy: str) -> str:
    """One message for all places where the same thing is wrong.

    `what` is a heading ("Boxes that enclose nothing"), each place says file and line, `remedy` what to do.
    """
    shown = "".join(f"\n  {place}" for place in places[:MAX_LOCATIONS])
    rest = len(places) - MAX_LOCATIONS
    more = f"\n  and {rest} more" if rest > 0 else ""
    return f"{what} ({len(places)}):{shown}{more}\n{remedy}"


def note(what: str, places: Sequence[str]) -> tuple[str, ...]:
    """One note that names all places where the same thing was noticed, or none where there are no places."""
    return ("\n  ".join([f"{what}:", *places]),) if places else ()


def shorten(text: str) -> str:
    """A note as one line, with the first few of its places and how many more; others are left as they are."""
    what, *places = text.split("\n  ")
    if not places:
        return text
    rest = len(places) - MAX_LOCATIONS
    more = f", and {rest} more" if rest > 0 else ""
    return f"{what} {', '.join(places[:MAX_LOCATIONS])}{more}"
