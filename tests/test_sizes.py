"""Functions have at most 30 lines of code and files at most 250, so that each can be read in one go."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "boxmask"
MAX_FUNCTION, MAX_FILE = 30, 250


def sizes(path: Path) -> Iterator[tuple[str, int, int]]:
    """The name, lines and allowed lines of a file and of each of its functions."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(SOURCE).as_posix()
    yield name, len(text.splitlines()), MAX_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name}:{node.name}", code_lines(node), MAX_FUNCTION


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body; signature and docstring are not counted."""
    has_docstring = ast.get_docstring(function, clean=False) is not None
    body = function.body[1:] if has_docstring else function.body
    last = function.body[-1].end_lineno or 0
    return last - body[0].lineno + 1 if body else 0


def test_functions_and_files_are_short() -> None:
    rows = [row for path in sorted(SOURCE.rglob("*.py")) for row in sizes(path)]
    too_long = {name: lines for name, lines, allowed in rows if lines > allowed}
    assert not too_long, f"split these: {too_long}"


def test_a_docstring_and_a_signature_are_not_counted() -> None:
    source = 'def f(\n    a: int,\n) -> int:\n    """One.\n\n    Two.\n    """\n    b = a\n    return b\n'
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert code_lines(function) == 2
