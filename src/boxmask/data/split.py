"""Train, val and test splits: from the data set, or chosen at random with a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from boxmask.data.contract import SPLITS, SplitDataset, SplitDatasetT
from boxmask.data.draw import Draw
from boxmask.messages import format_count, format_note

SHARES = {"test": 0.2, "val": 0.1}
"""Shares of the photos for random splits, in the order of drawing. Train keeps the rest."""
_NO_SPLITS = "the data set has no splits"


# ---------------------------------------------------------------- random splits


def draw_missing_splits(
    dataset: SplitDatasetT, seed: int = 0, groups: Int[np.ndarray, " P"] | None = None
) -> SplitDatasetT:
    """Complete the splits of a data set, in which "" marks a photo in no split.

    - No splits: 70 % of the photos go to train, 10 % to val, 20 % to test.
    - Some photos in no split: they go to train if the data set has no train photos, else they are left out.
    - No val or no test: 10 % or 20 % of the train photos go there.
    - No train photos, as with test labels only: nothing is drawn.

    groups: a number for each photo; the photos with the same number go to the same split. A split is smaller
            than its share if no remaining group fits.

    Photos are sorted by name and shuffled with the seed. Train keeps a photo of every class if possible.
    Every change is noted.
    """
    has_splits = bool((dataset.splits != "").any())
    group_of = dict(zip(dataset.files.tolist(), groups.tolist(), strict=True)) if groups is not None else {}
    dataset = assign_unsplit_photos(dataset)
    if not (dataset.splits == "train").any():
        return _with_notes(dataset, "the data set has no photos to train on")
    missing = [split for split in SHARES if split not in dataset.splits]
    if not missing:
        return dataset
    reason = f"the data set has no {' and no '.join(missing)} split" if has_splits else _NO_SPLITS
    numbers = np.array([group_of.get(file, ~n) for n, file in enumerate(dataset.files.tolist())], np.int64)
    return _draw_splits(dataset, missing, reason, seed, numbers)


def draw_new_splits(dataset: SplitDatasetT, seed: int, groups: Int[np.ndarray, " P"]) -> SplitDatasetT:
    """Draw the splits of all photos as `draw_missing_splits` does, also if the data set has its own."""
    reason = "a new split replaces the data set's own" if (dataset.splits != "").any() else _NO_SPLITS
    in_train = replace(dataset, splits=np.full(len(dataset), "train", dtype="<U5"))
    return _draw_splits(in_train, list(SHARES), reason, seed, groups)


def assign_unsplit_photos(dataset: SplitDatasetT) -> SplitDatasetT:
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


def _draw_splits(
    dataset: SplitDatasetT, missing: list[str], reason: str, seed: int, groups: Int[np.ndarray, " P"]
) -> SplitDatasetT:
    """Move random train photos to the missing splits."""
    shares = {split: SHARES[split] for split in missing}
    splits = dataset.splits.copy()
    for split, photos in _draw(dataset, shares, seed, groups).items():
        splits[photos] = split
    result = ", ".join(f"{(splits == split).sum()} {split}" for split in SPLITS)
    parts = " and ".join(f"{share:.0%} for {split}" for split, share in shares.items())
    num_photos = (dataset.splits == "train").sum()
    note = f"{reason}: drew {parts} from {num_photos} photos with seed {seed}; now {result}"
    return _with_notes(replace(dataset, splits=splits, draw=Draw(seed, shares)), note)


def _draw(
    dataset: SplitDataset, shares: Mapping[str, float], seed: int, groups: Int[np.ndarray, " P"]
) -> dict[str, NDArray[np.int64]]:
    """The indices of the photos for each split."""
    train = np.flatnonzero(dataset.splits == "train")
    order = train[np.random.default_rng(seed).permutation(len(train))]
    reserved = one_photo_per_class(dataset, order)
    free = order[~np.isin(groups[order], groups[reserved])]
    photos_of: dict[int, list[int]] = {  # photos of the rarest class are drawn last, with their groups
        group: [] for group in groups[np.concatenate([free, reserved[::-1]])].tolist()
    }
    for photo, group in zip(order.tolist(), groups[order].tolist(), strict=True):
        photos_of[group].append(photo)
    drawn: dict[str, NDArray[np.int64]] = {}
    for split, count in _split_sizes(len(train), len(free), shares).items():
        chosen = _choose_groups(photos_of, count)
        drawn[split] = np.array([photo for group in chosen for photo in photos_of.pop(group)], dtype=np.int64)
    return drawn


def _choose_groups(photos_of: Mapping[int, list[int]], count: int) -> list[int]:
    """Groups with `count` photos in total, or fewer if none of the rest fits, but one at least.

    The last group remains for train.
    """
    sizes = {group: len(photos) for group, photos in photos_of.items()}
    chosen: list[int] = []
    for group, size in sizes.items():
        if size <= count and len(chosen) + 1 < len(sizes):
            chosen.append(group)
            count -= size
    if not chosen and len(sizes) > 1 and count > 0:
        chosen.append(min(sizes, key=sizes.__getitem__))
    return chosen


def one_photo_per_class(
    dataset: SplitDataset, order: NDArray[np.int64], shown: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """The first photos in the order that together show every class, those of rare classes first.

    shown: photos whose classes need no further photo
    """
    counts = dataset.counts()
    shows = counts[order] > 0
    if shown is not None:
        shows &= ~counts[shown].any(axis=0)
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
