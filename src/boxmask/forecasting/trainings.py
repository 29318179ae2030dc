"""The trainings of a forecast, one per part of the labels, and their evaluations.

All trainings have the same budget: the same minutes, or with --epochs the same number of steps. So a
difference between two parts comes from their labels, not from longer training. Photos have the same size in
all trainings; that of the first one, which uses all training photos.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from boxmask.errors import OutputError
from boxmask.forecasting.folder import ForecastFolder
from boxmask.forecasting.labels import Labels, write_part
from boxmask.forecasting.parts import Part
from boxmask.messages import format_count, format_minutes
from boxmask.outputs import write_output
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, read_recipe
from boxmask.runs.work_progress import WorkProgress
from boxmask.tasks.table import task_of
from boxmask.training.clock import Clock
from boxmask.training.progress import Report
from boxmask.training.train_or_resume import train_or_resume

EVALUATING = 1.15  # a training with its evaluation, over the training alone

CLASS_METRICS = {"AP": "AP", "mask_AP": "mask_AP", "mIoU": "IoU", "accuracy": "recall"}
"""The metric of one class that belongs to each metric over all classes."""


@dataclass(frozen=True)
class Measured:
    """A training on a part of the labels.

    photos:    number of its training photos
    draw:      1, 2, ... of the parts of this size
    metric:    over all classes
    per_class: by the name of the class; None if no evaluated photo shows it
    """

    photos: int
    draw: int
    metric: float
    per_class: dict[str, float | None]


class TrainingReport(Report):
    """The display of one of many trainings: its progress and warnings. Its log has everything."""

    _shows_progress = False

    def message(self, text: str) -> None:
        """Print a line of progress or a warning."""
        if self._shows_progress or text.startswith("warning"):
            super().message(text)

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        """Show one step."""
        self._shows_progress = True
        super().step(clock, losses, images)
        self._shows_progress = False

    def advance(self, done: int, total: int, unit: str = "photos") -> None:
        """Show how many items are done."""
        self._shows_progress = True
        super().advance(done, total, unit)
        self._shows_progress = False


def measure_all(labels: Labels, recipe: Recipe, folder: ForecastFolder, report: Report) -> list[Measured]:
    """Train and evaluate a model on each part; those that are done are not repeated.

    Raises KeyboardInterrupt if a training was stopped by a signal; it is saved, and the next call goes on.
    """
    measured: list[Measured] = []
    seconds: list[float] = []
    progress = WorkProgress(folder)
    for number, part in enumerate(labels.parts, start=1):
        file = folder.evaluation_file(part.name)
        if not file.is_file():
            began = time.monotonic()
            minutes = time_needed(labels.parts[number - 1 :], recipe, seconds)
            left = "" if minutes is None else f"; {format_minutes(minutes)} left for all"
            count = format_count(len(part.photos), "photo")
            report.message(f"training {number} of {len(labels.parts)}: {count}{left}")
            progress.tell(**_progress(labels, measured, part, minutes))
            _train(labels, part, recipe, folder)
            _evaluate(labels, part, recipe, folder, report)
            seconds.append(time.monotonic() - began)
        measured.append(_read(file, part, task_of(recipe.model).metrics[0]))
        report.message(f"{format_count(measured[-1].photos, 'photo')}: {_describe(measured[-1], recipe)}")
    return measured


def _progress(
    labels: Labels, measured: Sequence[Measured], part: Part, minutes: float | None
) -> dict[str, Any]:
    """What progress.json tells while the training on a part goes on. minutes: left for all trainings"""
    return {
        "trainings": len(labels.parts),
        "measured": [{"photos": one.photos, "value": one.metric} for one in measured],
        "working": {"photos": len(part.photos), "part": part.name, "minutes_left": minutes},
    }


def time_needed(parts: Sequence[Part], recipe: Recipe, seconds: Sequence[float]) -> float | None:
    """The minutes that the trainings on these parts take; None if that is unknown.

    seconds: that earlier trainings took
    """
    if seconds:
        return sum(seconds) / len(seconds) / 60 * len(parts)
    return None if recipe.minutes is None else recipe.minutes * EVALUATING * len(parts)


def recipe_of_part(part: Part, first: Part, recipe: Recipe, folder: ForecastFolder) -> Recipe:
    """The recipe of a training: the size of the first one, and as many minutes or steps.

    A class that a small part lacks is no error: the metric shows what that costs.
    """
    own = replace(
        recipe,
        split_file=folder.part_file(part.name),
        split_seed=None,
        group_by=None,
        on_unseen_classes="skip",
        seed=recipe.seed + part.draw - 1,
    )
    if part == first:
        return own
    if recipe.epochs is not None:
        own = replace(own, epochs=max(1, round(recipe.epochs * len(first.photos) / len(part.photos))))
    settled, _ = read_recipe(Run(folder.run(first.name)))
    return replace(own, size=settled.size, batch_size=settled.batch_size)


def _train(labels: Labels, part: Part, recipe: Recipe, folder: ForecastFolder) -> None:
    out = folder.run(part.name)
    if not Run(out).recipe_file.is_file():
        write_part(labels, part, folder)
    settled = recipe_of_part(part, labels.parts[0], recipe, folder)
    if not train_or_resume(labels.data, settled, out, TrainingReport()):
        raise KeyboardInterrupt


def _evaluate(labels: Labels, part: Part, recipe: Recipe, folder: ForecastFolder, report: Report) -> None:
    task, model = task_of(recipe.model), Run(folder.run(part.name)).model(recipe.device)
    with report.reading_photos("evaluating") as progress:
        evaluation = task.evaluate(model, labels.evaluated, "skip", progress).evaluation
    content = {"photos": len(part.photos), "draw": part.draw, "evaluation": evaluation.to_dict()}
    with write_output(folder.evaluation_file(part.name)) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _read(file: Path, part: Part, metric: str) -> Measured:
    """Raises OutputError for a damaged file."""
    try:
        evaluation: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["evaluation"]
        classes = evaluation["per_class"].items()
        per_class = {name: values.get(CLASS_METRICS[metric]) for name, values in classes}
        return Measured(len(part.photos), part.draw, evaluation[metric] or 0.0, per_class)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise OutputError(
            f"{file}: this file is damaged ({type(error).__name__}). Remove it, and give the same command "
            "again."
        ) from error


def _describe(measured: Measured, recipe: Recipe) -> str:
    return f"{task_of(recipe.model).metrics[0]} {measured.metric:.3f}"
