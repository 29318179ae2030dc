"""Folds: parts of the photos, each of which is tested by a training on the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int

from boxmask.data.contract import SPLITS, SplitDataset, SplitDatasetT
from boxmask.data.draw import Draw
from boxmask.data.groups.group_by import find_groups
from boxmask.data.groups.split import groups_of_copies
from boxmask.data.split import SHARES, draw_missing_splits
from boxmask.errors import UsageError
from boxmask.messages import format_count
from boxmask.options import option
from boxmask.progress import Progress


def draw_folds(
    dataset: SplitDatasetT,
    num_folds: int,
    seed: int = 0,
    group_by: str | None = None,
    progress: Progress | None = None,
) -> tuple[SplitDatasetT, ...]:
    """The data set once per fold, with the photos of this fold as test photos. Its own splits are replaced.

    Each photo is a test photo once. A tenth of the others are validation photos, and the rest training
    photos. The photos of a group are on one side.

    group_by: see `find_groups`; by default, photos with the same bytes are a group
    progress: called while photos are examined for `group_by`

    Raises UsageError as `find_groups` does, and if there are too few groups.
    """
    if group_by is None:
        groups = groups_of_copies(dataset)
    else:
        groups = find_groups(dataset.root, dataset.files.tolist(), group_by, progress=progress).numbers
    count = len(np.unique(groups))
    if count < num_folds:
        raise UsageError(_too_few(count, num_folds, group_by))
    folds = assign_folds(dataset.counts(), groups, num_folds, seed)
    drawn = tuple(_with_test_photos(dataset, folds == fold, groups, seed) for fold in range(1, num_folds + 1))
    if any(set(each.splits.tolist()) != set(SPLITS) for each in drawn):
        raise UsageError(_too_few(count, num_folds, group_by))
    test = 1 / num_folds
    shares = {"test": test, "val": SHARES["val"] * (1 - test)}
    # without groups, the split is no draw that new photos join: it would keep the data set's own splits
    draw = None if group_by is None else Draw(seed, shares, group_by)
    return tuple(replace(each, draw=draw) for each in drawn)


def assign_folds(
    counts: Int[np.ndarray, "P K"], groups: Int[np.ndarray, " P"], num_folds: int, seed: int
) -> Int[np.ndarray, " P"]:
    """The fold of each photo, 1, 2 .. num_folds.

    Groups are shuffled and taken with the rarest classes first. Each goes to the fold with the fewest groups
    of its rarest class, then of its next class and so on, then with the fewest photos, among those with room.

    counts: how often each class occurs in each photo
    """
    numbers, group_of = np.unique(groups, return_inverse=True)
    sizes = np.bincount(group_of)
    shows = np.zeros((len(numbers), counts.shape[1]), dtype=np.bool_)
    np.logical_or.at(shows, group_of, counts > 0)
    rarest_first = np.argsort(shows.sum(axis=0), kind="stable")
    shuffled = np.random.default_rng(seed).permutation(len(numbers))
    lacks = ~shows[shuffled][:, rarest_first[::-1]]
    order = shuffled[np.lexsort(lacks.T)] if lacks.shape[1] else shuffled
    room = -(-len(groups) // num_folds)
    photos, shown = np.zeros(num_folds, np.int64), np.zeros((num_folds, counts.shape[1]), np.int64)
    fold_of = np.zeros(len(numbers), np.int64)
    for group in order.tolist():
        classes = rarest_first[shows[group, rarest_first]]
        fits = np.flatnonzero(photos + sizes[group] <= room).tolist() or [int(photos.argmin())]
        fold = min(fits, key=lambda each: (*shown[each, classes].tolist(), int(photos[each])))
        fold_of[group] = fold + 1
        photos[fold] += sizes[group]
        shown[fold] += shows[group]
    return np.asarray(fold_of[group_of])


def classes_not_shown(dataset: SplitDataset) -> tuple[str, ...]:
    """The classes of the data set that no training photo shows."""
    counts = dataset.counts()
    missing = counts.any(axis=0) & ~counts[dataset.splits == "train"].any(axis=0)
    return tuple(name for name, is_missing in zip(dataset.class_names, missing, strict=True) if is_missing)


def _with_test_photos(
    dataset: SplitDatasetT, is_test: Bool[np.ndarray, " P"], groups: Int[np.ndarray, " P"], seed: int
) -> SplitDatasetT:
    """The data set with these test photos, and validation photos that are drawn from the others."""
    splits = np.where(is_test, "test", "train").astype("<U5")
    return draw_missing_splits(replace(dataset, splits=splits, draw=None), seed, groups)


def _too_few(count: int, num_folds: int, group_by: str | None) -> str:
    photos = (
        f"there are {format_count(count, 'photo')} with different bytes"
        if group_by is None
        else f"{option('group_by', group_by)} finds {format_count(count, 'group')} of photos"
    )
    remedy = f"Choose {count} folds or fewer" if num_folds > count >= 3 else "Label more photos"
    return (
        f"{option('folds', str(num_folds))}: {photos}. These are too few: each fold needs test, training and "
        f"validation photos of its own. {remedy}."
    )
