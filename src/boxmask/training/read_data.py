"""Read the photos of a training, keep the split of an earlier one, and find photos that were seen before."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from boxmask.data.contract import SplitDataset
from boxmask.data.seen import Seen
from boxmask.messages import format_count, format_short_note
from boxmask.runs.ancestors import Ancestors, ancestors_of, read_ancestors, starting_points
from boxmask.runs.earlier_splits import earlier_splits
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.tasks.table import task_of
from boxmask.training.progress import Report


def read_new_data(data: Path, recipe: Recipe, run: Run, report: Report) -> Any:
    """Read the data set of a new training. Photos that earlier trainings knew keep their split.

    Notes tell which test and validation photos the training has seen already, through its initial weights.
    Raises LabelError, PhotoError or UsageError as `Task.read` does.
    """
    sources = starting_points(recipe)
    earlier = earlier_splits(data, recipe, run, [Run.from_path(source) for source in sources])
    kept = replace(recipe, split_file=None) if any(split.is_chosen for split in earlier) else recipe
    with report.reading_photos() as progress:
        dataset = task_of(recipe.model).read(data, kept, progress, earlier)
    return _with_seen(dataset, task_of(recipe.model).photos(dataset), data, ancestors_of(sources))


def read_same_data(data: Path, recipe: Recipe, run: Run, report: Report) -> Any:
    """Read the data set of a training that goes on, with exactly the photos that it began with."""
    with report.reading_photos() as progress:
        dataset = task_of(recipe.model).read(data, recipe, progress)
    return _with_seen(dataset, task_of(recipe.model).photos(dataset), data, read_ancestors(run))


def _with_seen(dataset: Any, photos: SplitDataset, data: Path, ancestors: Ancestors) -> Any:
    """The data set with the test and validation photos that the initial weights were trained on.

    photos: the whole photos of the data set
    """
    split_of = {
        photo: split
        for photo, split in zip(photos.files.tolist(), photos.splits.tolist(), strict=True)
        if split != "train"
    }
    contents = photos.draw.contents if photos.draw else None
    found = ancestors.find(photos.root, list(split_of), data, contents)
    seen = {
        photo: where for photo, where in found.items() if where.split == "train" or split_of[photo] == "test"
    }
    notes = tuple(note for split in ("test", "val") for note in _note_on_seen(split, split_of, seen))
    return dataset.with_seen(seen if seen or not ancestors.unknown else None, notes)


def _note_on_seen(split: str, split_of: dict[str, str], seen: dict[str, Seen]) -> tuple[str, ...]:
    """How many photos of a split were seen, by which trainings, and their names."""
    photos = [photo for photo in seen if split_of[photo] == split]
    runs = ", ".join(Counter(seen[photo].run for photo in photos))
    total = format_count(sum(1 for found in split_of.values() if found == split), f"{split} photo")
    heading = (
        f"tainted: {len(photos):,} of {total} were seen by the training of the initial weights ({runs}), so "
        "that metrics on them are too high"
    )
    lines = [
        f"{photo}: {seen[photo].split}" + (f" ({seen[photo].name})" if photo != seen[photo].name else "")
        for photo in photos
    ]
    return format_short_note(heading, lines)
