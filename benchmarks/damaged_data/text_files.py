"""Text files that know in which lines each part of the data set is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from damaged_data.sample import Place

MARK = "__mark__"
_MARK_LINE = re.compile(rf'\s*"{MARK}": (\d+),?')


class Lines:
    """A text file that is written line by line."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: list[str] = []
        self.places: dict[object, Place] = {}

    def add(self, text: str, *parts: object) -> None:
        """Add lines that hold these parts."""
        first = len(self.lines) + 1
        self.lines += text.split("\n")
        self.mark(first, parts)

    def mark(self, first: int, parts: Iterable[object]) -> None:
        """Note that parts are in the lines from `first` to here."""
        self.places.update(dict.fromkeys(parts, Place(self.file, first, len(self.lines))))

    def write(self, folder: Path) -> dict[object, Place]:
        path = folder / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line + "\n" for line in self.lines), encoding="utf-8")
        return self.places


class Marks:
    """Parts of a JSON document, so that `write_json` can tell their lines."""

    def __init__(self) -> None:
        self.parts: list[object] = []

    def __call__(self, part: object, **values: object) -> dict[str, object]:
        """A JSON object that stands for a part."""
        self.parts.append(part)
        return {MARK: len(self.parts) - 1, **values}


def write_json(folder: Path, file: str, document: object, marks: Marks) -> dict[object, Place]:
    """Write a document with an entry per line or more. Returns the lines of the marked objects."""
    lines: list[str] = []
    opened: list[tuple[object, int, str]] = []
    places: dict[object, Place] = {}
    for line in json.dumps(document, indent=1, ensure_ascii=False).split("\n"):
        if mark := _MARK_LINE.fullmatch(line):
            indent = re.match(" *", lines[-1])
            opened.append((marks.parts[int(mark[1])], len(lines), indent[0] if indent else ""))
            continue
        lines.append(line)
        if opened and line.rstrip(",") == opened[-1][2] + "}":
            part, first, _ = opened.pop()
            places[part] = Place(file, first, len(lines))
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return places


def number(value: float) -> float | int:
    """Whole numbers as integers."""
    return int(value) if value == value and abs(value) < 1e15 and value == int(value) else value


def text(value: float) -> str:
    """A number as the formats write it."""
    return f"{number(value)}"
