"""Splits that grow with the data set: photos keep the split of an earlier training, and new ones join it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int, Shaped

from boxmask.data.common_photos import CommonPhotos
from boxmask.data.contract import SPLITS, SplitDataset, SplitDatasetT
from boxmask.data.draw import Draw
from boxmask.data.groups.group_by import BY_CONTENTS, find_groups
from boxmask.data.groups.split import groups_of_copies
from boxmask.data.photo_digest import photo_digest
from boxmask.data.split import assign_unsplit_photos, one_photo_per_class
from boxmask.data.split_file import SplitFile
from boxmask.messages import format_count, format_short_note
from boxmask.progress import Progress


@dataclass(frozen=True, slots=True)
class EarlierSplit:
    """A split that boxmask drew for an earlier training.

    file:           its photos, those that had vanished by then included
    draw:           how it was drawn
    origin:         the run or the file that it is from, for messages
    read_from_here: whether that training read the data set from where it is now
    is_chosen:      whether the user named the file, so that it must fit the data set
    """

    file: SplitFile
    draw: Draw
    origin: str
    read_from_here: bool = False
    is_chosen: bool = False


def grow_splits(
    dataset: SplitDatasetT, earlier: EarlierSplit, common: CommonPhotos, progress: Progress | None = None
) -> SplitDatasetT:
    """Give each photo the split that it had, and assign the new ones, so that the shares stay as drawn.

    A new photo that belongs to a group of earlier photos joins their split. The other groups are shuffled,
    and taken for test and val as far as these lack photos. Train keeps the rest: one photo of every class
    that it does not show yet, and half of the new photos unless they are one group.

    common:   the photos that the data set shares with `earlier.file`
    progress: called while photos are examined for the groups

    Raises UsageError as `find_groups` does.
    """
    pool = _pool(dataset, earlier.draw)
    photos, in_pool = pool.files.tolist(), pool.splits == "train"
    split_of = common.splits(read_from_here=True)
    known = np.array([split_of.get(photo, "") for photo in photos], dtype="<U5")
    splits = np.where(in_pool, known, pool.splits)
    new = np.flatnonzero(splits == "")
    absent = sorted(set(common.absent(read_from_here=True)) - set(photos))
    vanished = {name: earlier.file.splits[name] for name in absent}
    if len(new):
        groups = _groups(pool, absent, earlier.draw.group_by, progress)
        _join_groups(splits, in_pool, groups, list(vanished.values()))
        _assign_rest(pool, splits, in_pool, groups[: len(photos)], earlier.draw)
    contents = _contents(pool, earlier, common, vanished)
    notes = (
        _note_on_new_photos(earlier.origin, pool.files[new].tolist(), splits[new].tolist()),
        *common.notes(read_from_here=True, training=earlier.origin),
    )
    draw = replace(earlier.draw, vanished=vanished, contents=contents)
    return replace(pool, splits=splits, draw=draw, notes=pool.notes + notes)


def _pool(dataset: SplitDatasetT, draw: Draw) -> SplitDatasetT:
    """The data set with "train" for each photo whose split is drawn; groups replace the set's own splits."""
    if draw.group_by is None:
        return assign_unsplit_photos(dataset)
    return replace(dataset, splits=np.full(len(dataset), "train", dtype="<U5"))


def _contents(
    dataset: SplitDataset, earlier: EarlierSplit, common: CommonPhotos, vanished: Mapping[str, str]
) -> dict[str, str]:
    """The digests of the photos, those that are no longer there included."""
    photos = dataset.files.tolist()
    now = {photo: common.contents.get(photo) or photo_digest(dataset.root / photo) for photo in photos}
    return {**{name: earlier.file.contents.get(name, "") for name in vanished}, **now}


def _note_on_new_photos(origin: str, photos: Sequence[str], splits: Sequence[str]) -> str:
    """Which split is kept, and where the new photos are."""
    kept = f"the split of {origin} is kept"
    if not photos:
        return kept
    lines = [f"{photo}: {split}" for photo, split in zip(photos, splits, strict=True)]
    counts = ", ".join(f"{splits.count(split)} {split}" for split in SPLITS if split in splits)
    return format_short_note(f"{kept}, with {format_count(len(lines), 'new photo')} ({counts})", lines)[0]


# ---------------------------------------------------------------- new photos


def _groups(
    dataset: SplitDataset, absent: Sequence[str], group_by: str | None, progress: Progress | None
) -> Int[np.ndarray, " P"]:
    """A number for each photo and, after them, for each absent one; the same for photos of a group.

    Absent photos join others by their names only: they cannot be opened.
    """
    files = dataset.files.tolist()
    if group_by is not None and group_by not in BY_CONTENTS:
        return find_groups(dataset.root, [*files, *absent], group_by).numbers
    if group_by is None:
        numbers = groups_of_copies(dataset)
    else:
        numbers = find_groups(dataset.root, files, group_by, progress=progress).numbers
    return np.concatenate([numbers, len(files) + np.arange(len(absent))])


def _join_groups(
    splits: Shaped[np.ndarray, " P"],
    in_pool: Bool[np.ndarray, " P"],
    groups: Int[np.ndarray, " Q"],
    absent_splits: Sequence[str],
) -> None:
    """Give new photos, whose split is "", the split that most of their group's other photos have."""
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    pooled = np.where(in_pool, splits, "").tolist()
    for group, split in zip(groups.tolist(), [*pooled, *absent_splits], strict=True):
        if split:
            votes[group][split] += 1
    for photo in np.flatnonzero(splits == "").tolist():
        if found := votes.get(int(groups[photo])):
            splits[photo] = max(SPLITS, key=lambda split: found[split])


def _assign_rest(
    dataset: SplitDataset,
    splits: Shaped[np.ndarray, " P"],
    in_pool: Bool[np.ndarray, " P"],
    groups: Int[np.ndarray, " P"],
    draw: Draw,
) -> None:
    """Assign the new photos of new groups, whose split is ""."""
    new = np.flatnonzero(splits == "")
    num_photos = int(in_pool.sum())
    order = new[np.random.default_rng([draw.seed, num_photos]).permutation(len(new))]
    reserved = one_photo_per_class(dataset, order, shown=np.flatnonzero(splits == "train"))
    members: dict[int, list[int]] = defaultdict(list)
    for photo in order.tolist():
        members[int(groups[photo])].append(photo)
    for group in np.unique(groups[reserved]).tolist():
        splits[members.pop(group)] = "train"
    if members and not (splits == "train").any():
        splits[members.popitem()[1]] = "train"
    room = max((len(new) + 1) // 2, min(map(len, members.values()), default=0))
    given = set(splits[~in_pool].tolist())
    for split, share in draw.shares.items():
        if split in given:
            continue
        missing = max(1, round(share * num_photos)) - int((splits[in_pool] == split).sum())
        for group, photos in list(members.items()):
            if len(photos) <= min(2 * missing, room):
                splits[members.pop(group)] = split
                missing -= len(photos)
                room -= len(photos)
    splits[splits == ""] = "train"
