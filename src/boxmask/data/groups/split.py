"""Draw splits in which no group of photos is on two sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from boxmask.data.contract import SPLITS, SplitDataset, SplitDatasetT
from boxmask.data.groups.components import number_in_order
from boxmask.data.groups.group_by import Groups, find_groups
from boxmask.data.groups.identical_files import identical_files
from boxmask.data.split import draw_missing_splits, draw_new_splits
from boxmask.errors import UsageError
from boxmask.messages import format_count
from boxmask.options import option
from boxmask.progress import Progress


def draw_grouped_splits(
    dataset: SplitDatasetT, seed: int = 0, group_by: str | None = None, progress: Progress | None = None
) -> SplitDatasetT:
    """Complete the splits of a data set as `draw_missing_splits` does, with groups of photos on one side.

    group_by: see `find_groups`. The split is then drawn anew, also if the data set has one. By default,
              photos with the same bytes are a group, unless a split would then have no photo.
    progress: called while photos are examined for `group_by`

    Raises UsageError as `find_groups` and `split_groups` do.
    """
    if group_by is not None:
        files = dataset.files.tolist()
        groups = find_groups(dataset.root, files, group_by, progress=progress)
        return split_groups(dataset, groups, seed, group_by)
    if all(split in dataset.splits for split in SPLITS):
        return draw_missing_splits(dataset, seed)
    return _draw_without_copies(dataset, seed)


def _draw_without_copies(dataset: SplitDatasetT, seed: int) -> SplitDatasetT:
    """Draw the missing splits with photos with the same bytes on one side."""
    drawn = draw_missing_splits(dataset, seed)
    groups = groups_of_copies(dataset)
    if len(np.unique(groups)) == len(groups):
        return drawn
    kept = draw_missing_splits(dataset, seed, groups)
    if set(kept.splits.tolist()) == set(drawn.splits.tolist()):
        return kept
    note = "photos with the same bytes are in several splits: there are too few different photos"
    return replace(drawn, notes=(*drawn.notes, note))


def split_groups(
    dataset: SplitDatasetT, groups: Groups, seed: int = 0, group_by: str | None = None
) -> SplitDatasetT:
    """Draw the splits of all photos anew, with the photos of a group on one side.

    group_by: what the groups were found by

    Raises UsageError if there are fewer groups than splits.
    """
    if len(groups) < min(len(SPLITS), len(dataset)):
        raise UsageError(
            f"{option('group_by')}: the photos are in {format_count(len(groups), 'group')}, too few for "
            f"{', '.join(SPLITS)}. Group them in another way."
        )
    drawn = draw_new_splits(dataset, seed, groups.numbers)
    count = sum(1 for reason in groups.reasons if reason)
    kept = (
        f"{format_count(count, 'group')} of photos kept on one side each"
        if count
        else "no groups of photos found"
    )
    draw = drawn.draw and replace(drawn.draw, group_by=group_by)
    return replace(drawn, notes=(*drawn.notes, kept), draw=draw)


def groups_of_copies(dataset: SplitDataset) -> Int[np.ndarray, " P"]:
    """A number for each photo, the same for photos with the same bytes."""
    index = {file: number for number, file in enumerate(dataset.files.tolist())}
    numbers = np.arange(len(dataset))
    for copies in identical_files(dataset.root, index):
        photos = [index[file] for file in copies]
        numbers[photos] = photos[0]
    return number_in_order(numbers)
