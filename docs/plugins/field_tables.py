"""Turns the field lists of boxmask's docstrings into Markdown tables.

A docstring lists fields, arguments or files in two columns, as in

    boxes:  (N, 4) xyxy in pixels
    labels: (N,) int64,
            0..K-1

Markdown would run these lines together. Indented code and ordinary paragraphs stay as they are.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

import griffe

NAMES = r"\*{0,2}[A-Za-z_][\w./]*(?:, \*{0,2}[A-Za-z_][\w./]*)*"
ROW = re.compile(rf"(?P<names>{NAMES})(?::\s+|\s{{2,}})(?P<text>\S.*)")


class FieldTables(griffe.Extension):
    """Rewrites every docstring that griffe reads."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = with_tables(inspect.cleandoc(obj.docstring.value))


def with_tables(docstring: str) -> str:
    """The docstring with its field lists as tables."""
    return "\n\n".join(with_table(block.splitlines()) for block in docstring.split("\n\n"))


def with_table(lines: list[str]) -> str:
    """The lines of a paragraph; a field list at its start becomes a table, the prose after it a paragraph.

    A single row with prose after it is prose itself.
    """
    rows: list[list[str]] = []
    block = lines
    while block and (ROW.fullmatch(block[0]) or (rows and block[0].startswith(" "))):
        line = block[0]
        row = ROW.fullmatch(line)
        if row:
            rows.append([row["names"], row["text"]])
        else:
            rows[-1][1] += " " + line.strip()
        block = block[1:]
    if len(rows) == 1 and block:
        return "\n".join(lines)
    cells = [f"| {codes(names)} | {text.replace('|', chr(92) + '|')} |" for names, text in rows]
    table = ["| | |", "| --- | --- |", *cells, ""] if cells else []
    return "\n".join([*table, *block])


def codes(names: str) -> str:
    """`a, b` with each name as code."""
    return ", ".join(f"`{name}`" for name in names.split(", "))
