"""Errors are short, notes are whole, and the terminal gets a line."""

from __future__ import annotations

from boxmask.data.messages import format_errors, note, shorten

PLACES = [f"a, b.xml:{line}" for line in range(1, 9)]


def test_an_error_shows_the_first_five_places() -> None:
    assert format_errors("Wrong", PLACES[:5], "Mend them.").count("a, b.xml") == 5
    text = format_errors("Wrong", PLACES, "Mend them.")
    assert text.startswith("Wrong (8):\n  a, b.xml:1\n")
    assert text.endswith("\n  a, b.xml:5\n  and 3 more\nMend them.")


def test_a_note_names_all_places() -> None:
    assert note("noticed", []) == ()
    assert note("noticed", PLACES) == ("noticed:\n  " + "\n  ".join(PLACES),)


def test_for_the_terminal_a_note_is_shortened_to_a_line() -> None:
    (few,), (many,) = note("noticed", PLACES[:2]), note("noticed", PLACES)
    assert shorten(few) == "noticed: a, b.xml:1, a, b.xml:2"
    assert shorten(many).startswith("noticed: a, b.xml:1, ")
    assert shorten(many).endswith(", a, b.xml:5, and 3 more")
    assert "\n" not in shorten(many)


def test_a_note_without_places_is_left_as_it_is() -> None:
    assert shorten("drew 10% for val: 7 train, 1 val, 2 test, 0, 0, 0, 0") == (
        "drew 10% for val: 7 train, 1 val, 2 test, 0, 0, 0, 0"
    )
