"""The labeled photos that a run is evaluated on."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from boxmask.data.contract import SplitDatasetT
from boxmask.data.split import without_unsplit_photos
from boxmask.data.split_file import read_split_file
from boxmask.errors import LabelError
from boxmask.messages import format_count
from boxmask.options import check_choice
from boxmask.runs.run import Run
from boxmask.runs.same_photos import find_common_photos, was_read_from

PathLike: TypeAlias = str | os.PathLike[str]
Split: TypeAlias = Literal["train", "val", "test", "all"]


def select_split(unsplit: SplitDatasetT, run: PathLike, data: PathLike, split: Split) -> SplitDatasetT:
    """The photos of one split.

    If this is the data set that the run was trained on, the run's split is used (see `same_photos.py`).
    Otherwise the data set's split is used. No new split is drawn: it could put photos that the run was
    trained on into the test split.

    unsplit: a data set with the split that it came with, if any
    run:     a `Run`, its folder or a checkpoint in it
    data:    the path of the data set

    Raises LabelError if the split has no photos, or if the run's split file is damaged; UsageError for an
    unknown split.
    """
    check_choice("split", split, Split)
    dataset, why_not_used = _with_run_split(unsplit, Run.from_path(run), Path(data), split)
    selected = dataset if split == "all" else dataset.subset(np.flatnonzero(dataset.splits == split))
    if not len(selected):
        reason = f" Note: {why_not_used}." if why_not_used else ""
        raise LabelError(
            f"{os.fspath(data)}: there are no {split} photos. The data set defines no such split, and the "
            f"run's split file does not cover it. Choose another --split; all takes every photo.{reason}"
        )
    return selected


def _with_run_split(dataset: SplitDatasetT, run: Run, data: Path, split: Split) -> tuple[SplitDatasetT, str]:
    """The data set with the split of the run and notes on differences; else as it is, and why."""
    if not run.split_file.is_file():
        return dataset, ""
    common = find_common_photos(dataset, read_split_file(run.split_file))
    read_from_here = was_read_from(run, dataset.root, data)
    if not common.is_data_set_of_run(read_from_here):
        notes = dataset.notes + common.notes_on_other_data_set()
        return replace(dataset, notes=notes), common.why_not_used()
    split_of = common.splits(read_from_here)
    splits = np.array([split_of.get(photo, "") for photo in dataset.files.tolist()], dtype="<U5")
    notes = dataset.notes + common.notes(read_from_here)
    if split == "all":
        notes += _note_on_training_photos(int((splits == "train").sum()))
    return without_unsplit_photos(replace(dataset, splits=splits, notes=notes)), ""


def _note_on_training_photos(count: int) -> tuple[str, ...]:
    photos = format_count(count, "training photo")
    return (f"the metrics include {photos}; expect lower ones on new photos",) if count else ()
