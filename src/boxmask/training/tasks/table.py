"""Which task each model of the table is for."""

from __future__ import annotations

from boxmask.detectors.table import DETECTORS
from boxmask.models.table import entry
from boxmask.training.tasks.boxes import Boxes
from boxmask.training.tasks.contract import Task

TASKS: dict[str, Task] = {**dict.fromkeys(DETECTORS, Boxes())}


def task_of(model: str) -> Task:
    """The task of a model's name; UsageError names those that there are."""
    entry(model)
    return TASKS[model]
