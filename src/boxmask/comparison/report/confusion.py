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
    """Labeled classes against predicted ones. background: whether the last row and column are no class"""

    number: int
    name: str
    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    unit: str
    has_background_row: bool
    has_background_column: bool
    hidden: int


def make_matrices(failures: Mapping[int, dict[str, Any]], names: Sequence[str]) -> list[Matrix]:
    """The matrix of each model that has one."""
    return [
        _matrix(number, names[number], each["confusion"])
        for number, each in failures.items()
        if each.get("confusion")
    ]


def _matrix(number: int, name: str, confusion: dict[str, Any]) -> Matrix:
    counts, row_names, column_names = confusion["counts"], confusion["rows"], confusion["columns"]
    num_classes = min(len(row_names), len(column_names))
    has_row, has_column = (len(each) > 0 and each[-1] == "background" for each in (row_names, column_names))
    is_extra = has_row or has_column
    classes = num_classes - (has_row and has_column)
    rows = _most_confused(counts, range(classes), MAX_CLASSES)
    columns = [*rows, *range(classes, len(column_names))]
    photos = {
        (cell["labeled"], cell["predicted"]): tuple(dict.fromkeys(case["photo"] for case in cell["cases"]))
        for cell in confusion["cells"]
    }
    shown_rows = [*rows, *range(classes, len(row_names))] if is_extra else rows
    table = []
    for row in shown_rows:
        total = max(1, sum(counts[row]))
        cells = []
        for column in columns:
            count, is_right = counts[row][column], row == column and row < classes
            pair = row_names[row], column_names[column]
            level = -(-_LEVELS * count // total)
            words = f"{pair[0]} → {pair[1]}: {count:,}"
            cells.append(Cell(_count(count), words, level, photos.get(pair, ()), is_right))
        table.append(MatrixRow(row_names[row], tuple(cells)))
    names_of_columns = tuple(column_names[column] for column in columns)
    hidden = classes - len(rows)
    unit = confusion["unit"]
    return Matrix(number, name, names_of_columns, tuple(table), unit, has_row, has_column, hidden)


def _most_confused(counts: Sequence[Sequence[int]], classes: Sequence[int], most: int) -> list[int]:
    """The classes in their order; those with the most wrong counts if there are too many."""
    wrong = {row: sum(counts[row]) - counts[row][row] for row in classes}
    chosen = set(sorted(classes, key=lambda row: -wrong[row])[:most])
    return [row for row in classes if row in chosen]


def _count(count: int) -> str:
    return large(count) if count >= 100_000 else f"{count:,}"
