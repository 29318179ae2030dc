"""The splits of earlier trainings on a data set, which a new training keeps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from boxmask.data.draw import Draw
from boxmask.data.groups.growth import EarlierSplit
from boxmask.data.split import SHARES
from boxmask.data.split_file import SplitFile, read_split_file
from boxmask.errors import CheckpointError, LabelError
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, read_recipe
from boxmask.runs.same_photos import is_same_data, runs_trained_on


def earlier_splits(
    data: Path, recipe: Recipe, new_run: Run, starting_points: Iterable[Run]
) -> tuple[EarlierSplit, ...]:
    """The drawn splits that a new training may keep, the first choice first.

    1. That of the recipe's split file. Without a record of its draw, the file is applied as it is.
    2. Those of the runs whose weights the training starts from.
    3. That of the newest run beside the new one that was trained on the same path.

    Runs whose files are missing or damaged are passed over. Raises LabelError for a damaged split file that
    the user chose.
    """
    if recipe.split_file is not None:
        file = read_split_file(recipe.split_file)
        return (_earlier(file, file.draw, str(file.path), is_chosen=True),) if file.draw else ()
    beside = (run for run, _ in runs_trained_on(data, new_run.path.parent) if run.path != new_run.path)
    newest = next(filter(None, (_split_of(run, data) for run in beside)), None)
    return tuple(filter(None, [*(_split_of(run, data) for run in starting_points), newest]))


def _earlier(
    file: SplitFile, draw: Draw, origin: str, *, here: bool = False, is_chosen: bool = False
) -> EarlierSplit:
    photos = replace(file, splits={**draw.vanished, **file.splits}, draw=draw)
    return EarlierSplit(photos, draw, origin, here, is_chosen)


def _split_of(run: Run, data: Path) -> EarlierSplit | None:
    """The split of a run, if it was drawn."""
    try:
        file, (recipe, trained_on) = read_split_file(run.split_file), read_recipe(run)
    except (LabelError, CheckpointError):
        return None
    draw = file.draw
    if draw is None and recipe.split_file is None:  # by a version that did not record it
        draw = Draw(recipe.split_seed or 0, SHARES, recipe.group_by)
    return _earlier(file, draw, str(run.path), here=is_same_data(trained_on, data)) if draw else None
