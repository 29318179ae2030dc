"""Train a model, or go on where an earlier call was stopped or killed."""

from __future__ import annotations

from pathlib import Path

from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.progress import Report
from boxmask.training.train import resume, train


def train_or_resume(data: Path, recipe: Recipe, out: Path, report: Report | None = None) -> bool:
    """Train into the folder `out`, continue the training that is there, or keep it if it is finished.

    Returns whether the training reached its end. The recipe is used only if there is no training yet.
    Raises what `train` and `resume` raise.
    """
    run = Run(out)
    if run.finished:
        return True
    if run.recipe_file.is_file():
        return resume(run, data, report)
    return train(data, recipe, out, report)[1]
