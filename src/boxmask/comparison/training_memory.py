"""The record of how much memory a training took."""

from __future__ import annotations

import json
from pathlib import Path

from boxmask.benchmarking.memory import peak_memory
from boxmask.outputs import write_output

TRAINING = "training.json"


def record_memory(folder: Path) -> None:
    """Write the peak memory of this process, unless an earlier part of the training took more."""
    megabytes = max(peak_memory() / 2**20, read_memory(folder) or 0.0)
    with write_output(folder / TRAINING) as partial:
        partial.write_text(json.dumps({"peak_memory_mb": megabytes}) + "\n")


def read_memory(folder: Path) -> float | None:
    """The peak memory of the training in MiB; None if there is no record."""
    try:
        return float(json.loads((folder / TRAINING).read_text())["peak_memory_mb"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
