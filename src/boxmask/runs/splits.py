"""The labeled photos that a run is evaluated on."""

from __future__ import annotations

import os
from typing import Literal, TypeAlias

import numpy as np

from boxmask.data.contract import SplitDatasetT
from boxmask.data.split import apply_split_file, split_file_fits
from boxmask.errors import LabelError
from boxmask.runs.run import Run

PathLike: TypeAlias = str | os.PathLike[str]
Split: TypeAlias = Literal["train", "val", "test", "all"]


def select_split(unsplit: SplitDatasetT, run: PathLike, data: PathLike, split: Split) -> SplitDatasetT:
    """The photos of one split.

    If the run was trained on this data set, the run's split is used. Otherwise the data set's split is used.
    No new split is drawn: it could put photos that the run was trained on into the test split.

    unsplit: a data set with the split that it came with, if any
    run:     a `Run`, its folder or a checkpoint in it
    data:    the path of the data set, for the error message

    Raises LabelError if the split has no photos, or if the run's split file is damaged.
    """
    dataset = _with_run_split(unsplit, run)
    selected = dataset if split == "all" else dataset.subset(np.flatnonzero(dataset.splits == split))
    if not len(selected):
        raise LabelError(
            f"{os.fspath(data)}: there are no {split} photos. The data set defines no such split, and the "
            "run's split file does not cover it. Choose another --split; all takes every photo."
        )
    return selected


def _with_run_split(dataset: SplitDatasetT, run: PathLike) -> SplitDatasetT:
    """The data set with the split of the run, if the run's split file names its photos."""
    file = Run.from_path(run).split_file
    if file.is_file() and split_file_fits(dataset, file):
        return apply_split_file(dataset, file, on_different_photos="skip")
    return dataset
