"""The labels of a forecast: one split for all trainings, and the parts of the training photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from boxmask.data.contract import SplitDataset
from boxmask.data.groups.group_by import find_groups
from boxmask.data.groups.split import groups_of_copies
from boxmask.data.split_file import write_split_file
from boxmask.errors import LabelError
from boxmask.forecasting.folder import ForecastFolder
from boxmask.forecasting.options import ForecastOptions
from boxmask.forecasting.parts import SHARES, Part, draw_parts
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.tasks.table import task_of
from boxmask.training.progress import Report
from boxmask.training.read_data import read_new_data


@dataclass(frozen=True)
class Labels:
    """The labels of a forecast.

    data:      the path that the user gave
    dataset:   as the task reads it
    evaluated: the photos that every model is evaluated on
    photos:    the whole photos
    parts:     of the training photos, in the order of training
    """

    data: Path
    dataset: Any
    evaluated: Any
    photos: SplitDataset
    parts: tuple[Part, ...]

    @property
    def training_photos(self) -> list[str]:
        """The training photos, which parts index."""
        files: list[str] = self.photos.files[self.photos.splits == "train"].tolist()
        return files


def read_labels(
    data: Path,
    recipe: Recipe,
    options: ForecastOptions,
    folder: ForecastFolder,
    shares: Sequence[float] = SHARES,
) -> Labels:
    """Read the labels with the recorded split, or draw one, and draw the parts.

    shares: of the training photos, for the parts

    Raises LabelError or PhotoError as training does, LabelError if no photos are left to evaluate on, and
    UsageError if there are too few training photos.
    """
    report, kept = Report(), recipe
    if folder.split_file.is_file():
        kept = replace(recipe, split_file=folder.split_file, group_by=None, split_seed=None)
    dataset = read_new_data(data, kept, Run(Path("runs") / "forecast"), report)
    photos, evaluated = task_of(recipe.model).photos(dataset), dataset.split(options.split)
    if not len(evaluated):
        raise LabelError(
            f"{data}: there are no {options.split} photos to evaluate on. Choose another --split, or give a "
            "--split-file (in Python: split_file)."
        )
    train = photos.subset(np.flatnonzero(photos.splits == "train"))
    group_by = recipe.group_by or (photos.draw.group_by if photos.draw else None)
    if group_by is None:
        groups = groups_of_copies(train)
    else:
        with report.reading_photos() as progress:
            groups = find_groups(train.root, train.files.tolist(), group_by, progress=progress).numbers
    parts = draw_parts(groups, train.counts().any(axis=1), options.draws, recipe.seed, shares)
    return Labels(data, dataset, evaluated, photos, parts)


def write_part(labels: Labels, part: Part, folder: ForecastFolder) -> Path:
    """Write the split file of a part: it has the same validation and test photos as the others."""
    photos, path = labels.photos, folder.part_file(part.name)
    train = np.flatnonzero(photos.splits == "train")
    unused = np.setdiff1d(train, train[list(part.photos)])
    kept: Any = photos.subset(np.setdiff1d(np.arange(len(photos)), unused))
    write_split_file(replace(kept, draw=None), path, photos.files[unused].tolist())
    return path
