"""Read the photos of a training, and keep the split of an earlier training on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from boxmask.runs.earlier_splits import earlier_splits
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.tasks.table import task_of
from boxmask.training.progress import Report


def read_new_data(data: Path, recipe: Recipe, run: Run, report: Report) -> Any:
    """Read the data set of a new training. Photos that earlier trainings knew keep their split.

    Raises LabelError, PhotoError or UsageError as `Task.read` does.
    """
    earlier = earlier_splits(data, recipe, run, _starting_points(recipe))
    kept = replace(recipe, split_file=None) if any(split.is_chosen for split in earlier) else recipe
    with report.reading_photos() as progress:
        return task_of(recipe.model).read(data, kept, progress, earlier)


def read_same_data(data: Path, recipe: Recipe, report: Report) -> Any:
    """Read the data set of a training that goes on, with exactly the photos that it began with."""
    with report.reading_photos() as progress:
        return task_of(recipe.model).read(data, recipe, progress)


def _starting_points(recipe: Recipe) -> list[Run]:
    """The runs whose weights a training starts from."""
    paths = (recipe.init, recipe.detector, recipe.classifier)
    return [Run.from_path(path) for path in paths if path is not None]
