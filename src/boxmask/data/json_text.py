"""Parse JSON files of labels and splits, with the location of every error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from boxmask.data.text import CORRECT_OR_EXPORT, read_text
from boxmask.errors import LabelError

_HIGH, _LOW = "[dD][89abAB][0-9a-fA-F]{2}", "[dD][c-fC-F][0-9a-fA-F]{2}"
_SURROGATE = re.compile(rf"\\u{_HIGH}\\u{_LOW}|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{{2}})|\\.", re.DOTALL)
_KEY_OR_BRACE = re.compile(r'"(?P<key>(?:[^"\\]|\\.)*)"(?P<colon>\s*:\s*)?|[{}]', re.DOTALL)
_LONG_NUMBER = re.compile(r"[0-9]{4301,}")  # Python converts up to 4,300 digits to an int


def read_json(
    path: Path,
    kind: str = "file",
    on_note: Callable[[str], None] | None = None,
    make_object: Callable[[dict[str, Any]], object] | None = None,
) -> object:
    """The content of a file, in any encoding that `read_text` knows.

    kind:    of file, for the message that there is none
    on_note: called with why the file was read in another encoding than UTF-8
    make_object: makes something else of each JSON object, inner ones first

    Raises LabelError, with line and column, for broken JSON, for numbers and nesting beyond Python's limits,
    for halves of characters, and for keys that an object holds twice with different values. NaN and Infinity
    pass; they are reported with the other bad values.
    """
    read = read_text(path, kind)
    if read.note and on_note:
        on_note(read.note)
    text = read.content
    if not text.strip():
        raise LabelError.in_file(path, "this file is empty. Restore it from a copy, or remove it.")
    made = _object if make_object is None else lambda pairs: make_object(_object(pairs))
    content = _parse(path, text, made)
    _check_surrogates(path, text)
    return content


def check_repeated_keys(path: Path, text: str) -> None:
    """Raise LabelError for keys that an object holds twice with different values.

    Unlike `read_json`, it keeps little in memory.
    """
    _parse(path, text, lambda pairs: hash(repr(_object(pairs))))


def _parse(path: Path, text: str, make_object: Callable[[list[tuple[str, Any]]], object]) -> object:
    try:
        content: object = json.loads(text, object_pairs_hook=make_object)
    except _RepeatedKeyError as error:
        reason = f"expected each key once per object, found {json.dumps(error.key)} again with another value"
        found = _find_repeated_key(text, error.key)
        raise _error_at(path, text, found, f"{reason}. Keep one of the two.") from error
    except json.JSONDecodeError as error:
        reason = f"broken JSON ({error.msg}). {CORRECT_OR_EXPORT}"
        raise LabelError.in_file(path, reason, error.lineno, error.colno) from error
    except RecursionError as error:
        raise LabelError.in_file(
            path, f"its lists and objects are nested too deeply to be labels. {CORRECT_OR_EXPORT}"
        ) from error
    except ValueError as error:
        found = _LONG_NUMBER.search(text)
        raise _error_at(path, text, found, f"a number of over 4,300 digits. {CORRECT_OR_EXPORT}") from error
    return content


class _RepeatedKeyError(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises _RepeatedKeyError for a key with two different values."""
    fields: dict[str, Any] = {}
    for key, value in pairs:
        if key in fields and value != fields[key]:
            raise _RepeatedKeyError(key)
        fields[key] = value
    return fields


def _find_repeated_key(text: str, key: str) -> re.Match[str] | None:
    """The first place where an object holds `key` again with another value."""
    open_objects: list[list[object]] = []  # the values of the key in each
    for found in _KEY_OR_BRACE.finditer(text):
        if found[0] == "{":
            open_objects.append([])
        elif found[0] == "}":
            open_objects.pop()
        elif found["colon"] and json.loads(f'"{found["key"]}"') == key:
            value = _value_at(text, found.end())
            if open_objects[-1] and value != open_objects[-1][0]:
                return found
            open_objects[-1].append(value)
    return None


def _value_at(text: str, position: int) -> object:
    """The value behind a key; None if it is broken further on."""
    try:
        value: object = json.JSONDecoder().raw_decode(text, position)[0]
    except (ValueError, RecursionError):
        return None
    return value


def _check_surrogates(path: Path, text: str) -> None:
    """Raise LabelError for one half of a surrogate pair, which no file name or terminal can hold."""
    if r"\ud" not in text and r"\uD" not in text:
        return
    lone = next((found for found in _SURROGATE.finditer(text) if found["lone"]), None)
    if lone is not None:
        raise _error_at(path, text, lone, f"{lone[0]} is half of a character. {CORRECT_OR_EXPORT}")


def _error_at(path: Path, text: str, found: re.Match[str] | None, reason: str) -> LabelError:
    """An error with the line and column of a match."""
    if found is None:
        return LabelError.in_file(path, reason)
    start = found.start()
    line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    return LabelError.in_file(path, reason, line, column)
