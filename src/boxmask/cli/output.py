"""What several verbs print: notes and metrics."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from cyclopts import Parameter
from rich.console import Console, RenderableType

from boxmask.outputs import check_replaceable, write_output

JsonFile: TypeAlias = Annotated[Path | None, Parameter(name="--json", allow_leading_hyphen=True)]
"""The flag --json: a file, or "-" for stdout."""


def print_notes(notes: Iterable[str]) -> None:
    """Print notes about the labels to stderr, one line each."""
    from boxmask.messages import shorten_note

    for note in notes:
        print(f"note: {shorten_note(note)}", file=sys.stderr)


def print_errors(errors: Sequence[str], noun: str = "photo") -> int:
    """Print errors about single photos or videos to stderr; returns the exit code, 1 if there are any."""
    from boxmask.messages import format_count

    for message in errors:
        print(f"boxmask: {message}", file=sys.stderr)
    if len(errors) > 1:
        print(f"boxmask: {format_count(len(errors), noun)} left out", file=sys.stderr)
    return 1 if errors else 0


def check_json_file(json_file: Path | None) -> None:
    """Raise UsageError if the metrics would replace a file that boxmask did not write."""
    if json_file is not None and json_file != Path("-"):
        check_replaceable([json_file])


def print_metrics(metrics: dict[str, Any], table: RenderableType, json_file: Path | None) -> None:
    """Print the table, or with --json - the JSON; write the JSON file if there is one."""
    text = json.dumps(metrics, indent=1) + "\n"
    if json_file == Path("-"):
        print(text, end="")
        return
    Console().print(table)
    if json_file is not None:
        with write_output(json_file) as partial:
            partial.write_text(text, encoding="utf-8")
