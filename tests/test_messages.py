"""Errors are short, notes are complete, and the terminal gets one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.messages import format_errors, format_minutes, format_note, one_line, shorten_note

LOCATIONS = [f"a, b.xml:{line}" for line in range(1, 9)]


def test_an_error_shows_the_first_five_locations() -> None:
    assert format_errors("Wrong", LOCATIONS[:5], "Mend them.").count("a, b.xml") == 5
    text = format_errors("Wrong", LOCATIONS, "Mend them.")
    assert text.startswith("Wrong (8):\n  a, b.xml:1\n")
    assert text.endswith("\n  a, b.xml:5\n  and 3 more\nMend them.")


def test_a_note_lists_all_locations() -> None:
    assert format_note("noticed", []) == ()
    assert format_note("noticed", LOCATIONS) == ("noticed:\n  " + "\n  ".join(LOCATIONS),)


def test_a_short_note_names_the_first_location_and_the_full_list() -> None:
    (single,), (several,) = format_note("noticed", LOCATIONS[:1]), format_note("noticed", LOCATIONS)
    assert shorten_note(single, Path("run/notes.txt")) == "noticed: a, b.xml:1"
    assert shorten_note(several) == "noticed; the first: a, b.xml:1"
    assert shorten_note(several, Path("notes.txt")) == (
        "noticed; the first: a, b.xml:1. All are listed in notes.txt."
    )


def test_a_note_without_locations_stays_as_it_is() -> None:
    note = "drew 10% for val: 7 train, 1 val, 2 test, 0, 0, 0, 0"
    assert shorten_note(note, Path("notes.txt")) == note


def test_the_error_of_another_library_is_one_line() -> None:
    mismatch = "Error(s) in loading state_dict for Net:\n\tsize mismatch for a.\n\tsize mismatch for b."
    assert one_line(RuntimeError(mismatch)) == "size mismatch for a, and 1 more"
    assert one_line(ValueError("one reason.")) == "one reason"
    assert one_line(KeyError()) == "KeyError"
    assert one_line(ValueError("x" * 300)) == "x" * 200 + "..."
    assert one_line(ValueError("a heading:")) == "a heading:"


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0.25, "0.25 minutes"),
        (0.5, "0.5 minutes"),
        (1, "1 minute"),
        (6.04, "6 minutes"),
        (48.2, "48 minutes"),
        (150, "2 h 30 min"),
        (120, "2 h 00 min"),
    ],
)
def test_minutes(minutes: float, text: str) -> None:
    assert format_minutes(minutes) == text
