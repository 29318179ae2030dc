"""Train, val and test splits: from the data set, or chosen at random with a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from boxmask.data.contract import SPLITS, SplitDataset, SplitDatasetT
from boxmask.messages import format_count, format_note

SHARES = {"test": 0.2, "val": 0.1}
"""Shares of the photos for random splits, in the order of drawing. Train keeps the rest."""


# ---------------------------------------------------------------- random splits


def draw_missing_splits(dataset: SplitDatasetT, seed: int = 0) -> SplitDatasetT:
    """Complete the splits of a data set, in which "" marks a photo in no split.

    - No splits: 70 % of the photos go to train, 10 % to val, 20 % to test.
    - Some photos in no split: they go to train if the data set has no train photos, else they are left out.
    - No val or no test: 10 % or 20 % of the train photos go there.
    - No train photos, as with test labels only: nothing is drawn.

    Photos are sorted by name and shuffled with the seed. Train keeps a photo of every class if possible.
    Every change is noted.
    """
    has_splits = bool((dataset.splits != "").any())
    dataset = _assign_unsplit_photos(dataset)
    if not (dataset.splits == "train").any():
        return _with_notes(dataset, "the data set has no photos to train on")
    missing = [split for split in SHARES if split not in dataset.splits]
    if not missing:
        return dataset
    reason = f"no {' and no '.join(missing)} split" if has_splits else "no splits"
    return _draw_splits(dataset, missing, f"the data set has {reason}", seed)


def _assign_unsplit_photos(dataset: SplitDatasetT) -> SplitDatasetT:
    """Leave out the photos in no split, or take them for train if there are no train photos."""
    unsplit = dataset.splits == ""
    if "train" in dataset.splits:
        return without_unsplit_photos(dataset)
    assigned = replace(dataset, splits=np.where(unsplit, "train", dataset.splits))
    if unsplit.all() or not unsplit.any():
        return assigned
    return _with_notes(assigned, f"no photo is in train: the {unsplit.sum()} photos in no split are used")


def without_unsplit_photos(dataset: SplitDatasetT) -> SplitDatasetT:
    """Leave out the photos in no split, with a note."""
    unsplit = dataset.files[dataset.splits == ""].tolist()
    kept = dataset.subset(np.flatnonzero(dataset.splits != ""))
    return _with_notes(
        kept, *format_note(f"left out: {format_count(len(unsplit), 'photo')} in no split", unsplit)
    )


def _with_notes(dataset: SplitDatasetT, *notes: str) -> SplitDatasetT:
    return replace(dataset, notes=dataset.notes + notes)


def _draw_splits(dataset: SplitDatasetT, missing: list[str], reason: str, seed: int) -> SplitDatasetT:
    """Move random train photos to the missing splits."""
    shares = {split: SHARES[split] for split in missing}
    splits = dataset.splits.copy()
    for split, photos in _draw(dataset, shares, seed).items():
        splits[photos] = split
    result = ", ".join(f"{(splits == split).sum()} {split}" for split in SPLITS)
    parts = " and ".join(f"{share:.0%} for {split}" for split, share in shares.items())
    num_photos = (dataset.splits == "train").sum()
    note = f"{reason}: drew {parts} from {num_photos} photos with seed {seed}; now {result}"
    return _with_notes(replace(dataset, splits=splits), note)


def _draw(dataset: SplitDataset, shares: Mapping[str, float], seed: int) -> dict[str, NDArray[np.int64]]:
    """The indices of the photos for each split."""
    train = np.flatnonzero(dataset.splits == "train")
    order = train[np.random.default_rng(seed).permutation(len(train))]
    reserved = _one_photo_per_class(dataset, order)
    free = order[~np.isin(order, reserved)]
    pool = np.concatenate([free, reserved[::-1]])  # photos of the rarest class are drawn last
    drawn, start = {}, 0
    for split, count in _split_sizes(len(train), len(free), shares).items():
        drawn[split] = pool[start : start + count]
        start += count
    return drawn


def _one_photo_per_class(dataset: SplitDataset, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first photos in the order that together show every class, those of rare classes first."""
    shows = dataset.counts()[order] > 0
    photos_per_class = shows.sum(axis=0)
    chosen: list[int] = []
    for label in np.argsort(photos_per_class, kind="stable"):
        if photos_per_class[label] and not shows[chosen, label].any():
            chosen.append(int(shows[:, label].argmax()))
    return order[chosen]


def _split_sizes(num_photos: int, num_free: int, shares: Mapping[str, float]) -> dict[str, int]:
    """The number of photos for each split: its share, at least 1, and no more than are free.

    If hardly any are free, because most photos are the only one of a class, a split still gets one photo as
    long as one remains in train.
    """
    wanted = {split: max(1, round(share * num_photos)) for split, share in shares.items()}
    room, total = max(num_free, len(shares)), sum(wanted.values())
    remaining, sizes = num_photos - 1, {}
    for split, count in wanted.items():
        fitting = count if total <= room else max(1, count * room // total)
        sizes[split] = min(fitting, remaining)
        remaining -= sizes[split]
    return sizes
