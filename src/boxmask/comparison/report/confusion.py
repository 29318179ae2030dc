"""Confusion matrices whose cells know the photos that they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boxmask.comparison.report.numbers import large

MAX_CLASSES = 20
"""Rows and columns that are shown, those of the classes with the most confusions first."""

_LEVELS = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. level: of its color, 0..8 by its share of the row; photos: indices of those that show it"""

    text: str
    words: str
    level: int
    photos: tuple[int, ...]
    is_right: bool


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A labeled class."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Labeled classes against predicted ones.

    has_background:   whether the last row counts detections where nothing is labeled, and the last column
                      objects that were not found
    has_other_column: whether the last column counts classes that the data set does not have
    hidden:           the number of classes that are not shown
    """

    number: int
    name: str
    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    has_background: bool
    has_other_column: bool
    hidden: int


def make_matrices(failures: Mapping[int, dict[str, Any]], names: Sequence[str], task: str) -> list[Matrix]:
    """The matrix of each model that has one. Detectors have a row and a column for the background."""
    return [
        _matrix(number, names[number], each["confusion"], has_background=task == "detection")
        for number, each in failures.items()
        if each.get("confusion")
    ]


def _matrix(number: int, name: str, confusion: dict[str, Any], *, has_background: bool) -> Matrix:
    counts, row_names, column_names = confusion["counts"], confusion["rows"], confusion["columns"]
    num_classes = len(row_names) - has_background
    classes = _most_confused(counts, range(num_classes), MAX_CLASSES)
    rows = [*classes, *range(num_classes, len(row_names))]
    columns = [*classes, *range(num_classes, len(column_names))]
    photos = {
        (cell["labeled"], cell["predicted"]): tuple(dict.fromkeys(case["photo"] for case in cell["cases"]))
        for cell in confusion["cells"]
    }
    table = []
    for row in rows:
        total = max(1, sum(counts[row]))
        cells = []
        for column in columns:
            pair, count = (row_names[row], column_names[column]), counts[row][column]
            words = f"{pair[0]} → {pair[1]}: {count:,}"
            level = -(-_LEVELS * count // total)
            is_right = row == column and row < num_classes
            cells.append(Cell(_count(count), words, level, photos.get(pair, ()), is_right))
        table.append(MatrixRow(row_names[row], tuple(cells)))
    return Matrix(
        number,
        name,
        tuple(column_names[column] for column in columns),
        tuple(table),
        has_background,
        not has_background and len(column_names) > len(row_names),
        num_classes - len(classes),
    )


def _most_confused(counts: Sequence[Sequence[int]], classes: Sequence[int], most: int) -> list[int]:
    """The classes in their order; those with the most wrong counts if there are too many."""
    wrong = {row: sum(counts[row]) - counts[row][row] for row in classes}
    chosen = set(sorted(classes, key=lambda row: -wrong[row])[:most])
    return [row for row in classes if row in chosen]


def _count(count: int) -> str:
    return large(count) if count >= 100_000 else f"{count:,}"
