"""Which labeled photos a run is judged by."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from boxmask.data.contract import SplitDatasetT
from boxmask.data.split import apply_split_file, split_file_fits
from boxmask.errors import LabelError

SPLIT = "split.json"  # what training writes into the folder of a run

Split = Literal["train", "val", "test", "all"]


def chosen_photos(unsplit: SplitDatasetT, run: Path, data: Path, split: Split) -> SplitDatasetT:
    """The photos of one split; on the data that it was trained on, the run's own split counts.

    unsplit: a set with the splits that it came with

    Nothing is drawn here: a draw could bring photos that the run was trained on into its test. Raises
    LabelError where the split has no photos.
    """
    dataset = _with_known_splits(unsplit, run)
    chosen = dataset if split == "all" else dataset.subset(np.flatnonzero(dataset.splits == split))
    if not len(chosen):
        raise LabelError(
            f"{data}: there are no {split} photos: neither does the set name any, nor is it the one that "
            "this run has split. Choose another --split; all takes every photo."
        )
    return chosen


def _with_known_splits(dataset: SplitDatasetT, run: Path) -> SplitDatasetT:
    """The run's splits where it has split this set, else the set's own."""
    written = (run if run.is_dir() else run.parent) / SPLIT
    if written.is_file() and split_file_fits(dataset, written):
        return apply_split_file(dataset, written, on_different_photos="skip")
    return dataset
