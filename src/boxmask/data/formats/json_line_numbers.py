"""Line numbers of list entries in a JSON file, which Python's JSON reader does not keep."""

from __future__ import annotations

import json
import re
from pathlib import Path

from boxmask.data.findings import Location
from boxmask.data.text import read_text

_GAP = re.compile(r"[\s,]*")


class JsonLineNumbers:
    """Locations of entries in one JSON file. The file is read again when the first one is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, list[int]] = {}

    def location(self, key: str, index: int, identity: object) -> Location:
        """For example "instances.json:210: annotations[17] (id 303)"."""
        if key not in self._lines:
            self._lines[key] = lines_of_list(read_text(self._path).content, key)
        lines = self._lines[key]
        known = "" if identity is None else f" (id {identity})"
        return Location(str(self._path), _entry_or_none(lines, index), f"{key}[{index}]{known}")


def _entry_or_none(lines: list[int], index: int) -> int | None:
    return lines[index] if index < len(lines) else None


def lines_of_list(text: str, key: str) -> list[int]:
    """The line in which each entry of the list `key` begins. Empty if the whole text is one line."""
    opening = re.search(rf'"{key}"\s*:\s*\[', text)
    if opening is None or "\n" not in text.strip():
        return []
    decoder, lines, position = json.JSONDecoder(), [], opening.end()
    line, counted = 1, 0
    try:
        while text[(position := _skip_gap(text, position))] != "]":
            line, counted = line + text.count("\n", counted, position), position
            lines.append(line)
            _, position = decoder.raw_decode(text, position)
    except (IndexError, ValueError, RecursionError):  # `key` may be part of a longer text
        return lines
    return lines


def _skip_gap(text: str, position: int) -> int:
    gap = _GAP.match(text, position)
    return gap.end() if gap else position
