"""The runs that a function takes: one, or several that form an ensemble. This file imports nothing heavy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from boxmask.errors import UsageError


def run_paths(run: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[Path]:
    """A run, or several, as paths; at least one. Raises UsageError for an empty list."""
    runs = [run] if isinstance(run, str) or not isinstance(run, Sequence) else run
    if not runs:
        raise UsageError("run: expected at least one run, found an empty list")
    return [Path(path) for path in runs]
