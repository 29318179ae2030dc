"""Line numbers of photos and annotations in a CreateML file, which Python's JSON reader does not keep."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

from boxmask.data.text import read_text
from boxmask.errors import LabelError

_GAP = re.compile(r"[\s,]*")
_ANNOTATIONS = re.compile(r'"annotations?"\s*:\s*\[')


@lru_cache(maxsize=4)  # findings about one file mostly follow one another
def lines_of_file(path: Path) -> list[tuple[int, list[int]]]:
    """The line in which each photo begins, and those of its annotations. Empty if the file is one line."""
    try:
        text = read_text(path).content
    except LabelError:
        return []
    if "\n" not in text.strip():
        return []
    lines, position, line, counted = [], text.find("[") + 1, 1, 0
    for start, end in _spans(text, position):
        line, counted = line + text.count("\n", counted, start), start
        lines.append((line, _lines_within(text[start:end], line)))
    return lines


def _lines_within(entry: str, first: int) -> list[int]:
    opening = _ANNOTATIONS.search(entry)
    if opening is None:
        return []
    return [first + entry.count("\n", 0, start) for start, _ in _spans(entry, opening.end())]


def _spans(text: str, position: int) -> list[tuple[int, int]]:
    """Where the entries of a list begin and end."""
    decoder, spans = json.JSONDecoder(), list[tuple[int, int]]()
    try:
        while True:
            gap = _GAP.match(text, position)
            start = gap.end() if gap else position
            if text[start] == "]":
                return spans
            _, position = decoder.raw_decode(text, start)
            spans.append((start, position))
    except (IndexError, ValueError, RecursionError):
        return spans
