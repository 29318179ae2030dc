"""Whether a data set is the one that a run was trained on; `boxmask.data.common_photos` compares photos."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from boxmask.data.contract import SplitDataset
from boxmask.data.split_file import changed_photos, read_split_file
from boxmask.errors import CheckpointError
from boxmask.messages import format_errors
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, read_recipe


def was_read_from(run: Run, root: Path, data: Path) -> bool:
    """Whether the run was trained on the data set at this path, as far as recipe.json tells.

    root: the folder of the data set
    data: the path that the user gave
    """
    try:
        recorded = read_recipe(run)[1].resolve()
    except CheckpointError:
        return False
    folder = recorded if recorded.is_dir() else recorded.parent
    return not {recorded, folder}.isdisjoint({root.resolve(), data.resolve()})


def is_same_data(trained_on: Path, data: Path) -> bool:
    """Whether two paths are of one data set: the same, or a folder and a label file in it."""
    first, second = trained_on.resolve(), data.resolve()
    if first == second:
        return True
    return (first.parent == second and not first.is_dir()) or (second.parent == first and second.is_file())


def runs_trained_on(data: Path, folder: Path) -> Iterator[tuple[Run, Recipe]]:
    """The runs in a folder that were trained on a data set, the newest first.

    Runs with a damaged recipe are passed over.

    data: the path of the data set
    """
    for file in sorted(folder.glob("*/recipe.json"), key=_modification_time, reverse=True):
        run = Run(file.parent)
        try:
            recipe, trained_on = read_recipe(run)
        except CheckpointError:
            continue
        if is_same_data(trained_on, data):
            yield run, recipe


def _modification_time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def check_same_contents(run: Run, dataset: SplitDataset) -> None:
    """Raise CheckpointError if photos have other contents than when the run began."""
    file = read_split_file(run.split_file)
    names = {name: name for name in dataset.files.tolist()}
    changed = changed_photos(file, dataset.root, names)
    if changed:
        remedy = "Start a new run, or restore these photos."
        heading = f"{run.path}: photos have changed since this training began"
        raise CheckpointError(format_errors(heading, changed, remedy))
