"""Rows of log.jsonl as trackers take them: numbers by name, and one count of steps for all stages."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from boxmask.json_numbers import is_number
from boxmask.training.progress import NOT_LOSSES


@dataclass(frozen=True)
class TrackedRow:
    """A row of the log.

    step:    the number of steps since the training began, in all stages
    values:  numbers by name: train/NAME and validation/NAME
    seconds: the time, in seconds since 1970
    """

    step: int
    values: dict[str, float]
    seconds: float = field(default_factory=time.time)


@dataclass
class StepCount:
    """Counts the steps of all stages, whose own counts begin at 0.

    Trackers need steps that never fall: TensorBoard takes a lower step for a restart, and drops what came
    before.
    """

    stage: str = ""
    last: int = 0
    steps_before: int = 0

    def advance(self, row: Mapping[str, Any]) -> int:
        """Return the steps up to a row of the log. Rows come in order."""
        if row.get("stage") != self.stage:
            self.steps_before += self.last
            self.stage = str(row.get("stage"))
        self.last = int(row.get("step", 0))
        return self.steps_before + self.last


def row_values(row: Mapping[str, Any]) -> dict[str, float]:
    """Return a row's numbers by name, those that are finite. "train/loss" is the sum of the losses."""
    if isinstance(row.get("val"), dict):
        return _with_prefix("validation", row["val"])
    values = {name: value for name, value in row.items() if name not in ("stage", "step")}
    losses = [value for name, value in values.items() if name not in NOT_LOSSES and is_number(value)]
    total = {"loss": sum(losses)} if losses else {}
    return _with_prefix("train", {**values, **total})


def _with_prefix(prefix: str, values: Mapping[str, Any]) -> dict[str, float]:
    return {
        f"{prefix}/{name}": float(value)
        for name, value in values.items()
        if is_number(value) and math.isfinite(value)
    }
