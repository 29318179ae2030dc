"""Draw splits in which no group of photos is on two sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from boxmask.data.contract import SPLITS, SplitDataset, SplitDatasetT
from boxmask.data.groups.components import number_in_order
from boxmask.data.groups.group_by import Groups, find_groups
from boxmask.data.groups.identical_files import identical_files
from boxmask.data.split import draw_missing_splits
from boxmask.messages import format_count


def draw_grouped_splits(
    dataset: SplitDatasetT, seed: int = 0, group_by: str | None = None
) -> SplitDatasetT:
    """Complete the splits of a data set as `draw_missing_splits` does, with groups of photos on one side.

    group_by: see `find_groups`. The split is then drawn anew, also if the data set has one. By default,
              photos with the same bytes are a group.

    Raises UsageError as `find_groups` does.
    """
    if group_by is not None:
        return draw_new_splits(dataset, find_groups(dataset.root, dataset.files.tolist(), group_by), seed)
    if all(split in dataset.splits for split in SPLITS):
        return draw_missing_splits(dataset, seed)
    return draw_missing_splits(dataset, seed, _groups_of_copies(dataset))


def draw_new_splits(dataset: SplitDatasetT, groups: Groups, seed: int = 0) -> SplitDatasetT:
    """Draw the splits of all photos anew, with the photos of a group on one side."""
    unsplit = replace(dataset, splits=np.full(len(dataset), "", dtype="<U5"))
    drawn = draw_missing_splits(unsplit, seed, groups.numbers)
    notes = (f"{format_count(len(groups), 'group')} of photos are kept together",)
    if (dataset.splits != "").any():
        notes = (*notes, "the data set's own split is not used: the new one replaces it")
    return replace(drawn, notes=drawn.notes + notes)


def _groups_of_copies(dataset: SplitDataset) -> Int[np.ndarray, " P"]:
    """A number for each photo, the same for photos with the same bytes."""
    index = {file: number for number, file in enumerate(dataset.files.tolist())}
    numbers = np.arange(len(dataset))
    for copies in identical_files(dataset.root, index):
        photos = [index[file] for file in copies]
        numbers[photos] = photos[0]
    return number_in_order(numbers)
