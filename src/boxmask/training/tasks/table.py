"""Which task each model of the table is for."""

from __future__ import annotations

from boxmask.classifiers.table import CLASSIFIERS
from boxmask.detectors.table import DETECTORS
from boxmask.models.table import entry
from boxmask.segmenters.table import SEGMENTERS
from boxmask.training.tasks.boxes import Boxes
from boxmask.training.tasks.classes import Classes
from boxmask.training.tasks.contract import Task
from boxmask.training.tasks.pixels import Pixels

TASKS: dict[str, Task] = {
    **{name: Boxes() for name in DETECTORS},
    "mask-rcnn": Boxes(("mask_AP", "mask_AP50", "AP", "AP50")),
    **{name: Pixels() for name in SEGMENTERS},
    **{name: Classes() for name in CLASSIFIERS},
}


def task_of(model: str) -> Task:
    """The task of a model's name; UsageError names those that there are."""
    entry(model)
    return TASKS[model]
