"""Errors and notes about labels: what is wrong, where, and what to do.

An error shows the first few locations and counts the rest. A note does not stop anything and may be read
later, so it lists every location, one per line; `shorten_note` makes one line of it for the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path

MAX_LOCATIONS = 5


def format_errors(
    heading: str,
    locations: Sequence[str],
    remedy: str,
    total: int | None = None,
    count: int | None = None,
) -> str:
    """One message for all locations of the same error.

    heading:   what is wrong, without a full stop ("Photos in more than one split")
    locations: each names file and line, and may add details
    remedy:    what to do, in full sentences
    total:     number of checked entries, from which the share of errors is computed
    count:     number of all locations, if `locations` are only the first ones
    """
    count = len(locations) if count is None else count
    shown = "".join(f"\n  {location}" for location in locations[:MAX_LOCATIONS])
    rest = count - min(len(locations), MAX_LOCATIONS)
    rest_line = f"\n  and {rest} more" if locations else "\n  too many to be listed"
    more = rest_line if rest > 0 else ""
    share = f" of {total:,}, {format_percent(count / total)}" if total else ""
    return f"{heading} ({count:,}{share}):{shown}{more}\n{remedy}"


def add_hints(lines: Sequence[str], names: Sequence[str], did_you_mean: Callable[[str], str]) -> list[str]:
    """Append a hint on similar names to each line that an error shows.

    names:        the name that each line is about
    did_you_mean: the hint for a name, see `boxmask.similar_names`
    """
    hints = [did_you_mean(name) for name in names[:MAX_LOCATIONS]]
    return [line + hint for line, hint in zip_longest(lines, hints, fillvalue="")]


def format_note(heading: str, locations: Sequence[str]) -> tuple[str, ...]:
    """One note that lists all locations; no note if there are none."""
    return ("\n  ".join([f"{heading}:", *locations]),) if locations else ()


def format_short_note(heading: str, locations: Sequence[str]) -> tuple[str, ...]:
    """The same, but on one line if the locations are few, so that the terminal shows all."""
    if 0 < len(locations) <= MAX_LOCATIONS:
        return (f"{heading}: {'; '.join(locations)}",)
    return format_note(heading, locations)


def shorten_note(note: str, full_list: Path | None = None) -> str:
    """A note as one line, with its first location only.

    full_list: the file that holds the whole note, named if locations are left out
    """
    heading, *locations = note.split("\n  ")
    if not locations:
        return note
    if len(locations) == 1:
        return f"{heading} {locations[0]}"
    where = f". All are listed in {full_list}." if full_list else ""
    return f"{heading.removesuffix(':')}; the first: {locations[0]}{where}"


def format_count(number: int, noun: str) -> str:
    """A count with its noun: "1 photo", "1,200 photos", "2 boxes"."""
    plural = noun + ("es" if noun.endswith(("s", "x")) else "s")
    return f"{number:,} {noun if number == 1 else plural}"


def format_percent(share: float) -> str:
    """A share with two significant digits: 0.041 %, 2 %, 100 %."""
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.0f} %"


def format_minutes(minutes: float) -> str:
    """Minutes, or hours and minutes: "1 minute", "48 minutes", "2 h 30 min"."""
    if minutes < 90:
        shown = f"{minutes:.2g}" if minutes < 10 else f"{minutes:.0f}"
        return "1 minute" if shown == "1" else f"{shown} minutes"
    hours, rest = divmod(round(minutes), 60)
    return f"{hours} h {rest:02d} min"


def one_line(error: BaseException, length: int = 200) -> str:
    """The message of another library's error as one line: its first detail, and how many follow.

    torch lists every tensor that does not fit, on a line each below a heading.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    details = lines[1:] if lines[0].endswith(":") and len(lines) > 1 else lines
    first = details[0].rstrip(".")
    shown = first if len(first) <= length else f"{first[:length].rstrip()}..."
    return shown if len(details) == 1 else f"{shown}, and {len(details) - 1} more"


def printable(text: str) -> str:
    """Text with escapes for control characters, with which a file name could change the terminal."""
    return "".join(
        character if character.isprintable() or character in "\n " else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
