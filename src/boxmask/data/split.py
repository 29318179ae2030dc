"""Train, val and test splits: from the data set, from a split file, or chosen at random with a seed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from boxmask.atomic_write import atomic_write
from boxmask.data.contract import SPLITS, SplitDataset, SplitDatasetT
from boxmask.data.json_text import read_json
from boxmask.data.messages import format_count, format_errors, format_note
from boxmask.errors import LabelError

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
        return _without_unsplit_photos(dataset)
    assigned = replace(dataset, splits=np.where(unsplit, "train", dataset.splits))
    if unsplit.all() or not unsplit.any():
        return assigned
    return _with_notes(assigned, f"no photo is in train: the {unsplit.sum()} photos in no split are used")


def _without_unsplit_photos(dataset: SplitDatasetT) -> SplitDatasetT:
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


# ---------------------------------------------------------------- split files


def write_split_file(dataset: SplitDataset, path: str | Path) -> None:
    """Write {"train": [files], "val": [files], "test": [files]} as JSON, atomically."""
    split = {name: dataset.files[dataset.splits == name].tolist() for name in SPLITS}
    with atomic_write(Path(path)) as part:
        part.write_text(json.dumps(split, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def apply_split_file(
    dataset: SplitDatasetT, path: str | Path, on_different_photos: Literal["error", "skip"] = "error"
) -> SplitDatasetT:
    """Replace the splits of a data set with those of a file that `write_split_file` wrote.

    on_different_photos: what to do with photos that only the file or only the data set names, because photos
                         were added or removed: stop, or leave them out

    Raises LabelError for a file in another form and for a photo that it names twice; with "error", also for
    such photos. The file may omit photos that the data set's own splits leave out.
    """
    files = set(dataset.files.tolist())
    by_file = _read_split_file(Path(path))
    by_file = {file if file in files else file.replace("\\", "/"): split for file, split in by_file.items()}
    left_out = set(dataset.files[dataset.splits == ""].tolist()) if "train" in dataset.splits else set()
    remedy = f"Correct {path}, or do without it to draw a new split."
    unnamed = sorted(files - by_file.keys() - left_out)
    absent = sorted(by_file.keys() - files)
    if unnamed and on_different_photos == "error":
        raise LabelError(format_errors("Photos that the split file does not name", unnamed, remedy))
    if absent and on_different_photos == "error":
        raise LabelError(format_errors("Photos of the split file that the data set lacks", absent, remedy))
    splits = np.array([by_file.get(file, "") for file in dataset.files.tolist()], dtype="<U5")
    note = format_note(f"no longer there: {format_count(len(absent), 'photo')} of {path}", absent)
    return _with_notes(_without_unsplit_photos(replace(dataset, splits=splits)), *note)


def split_file_fits(dataset: SplitDataset, path: str | Path) -> bool:
    """Whether a split file names any photo of the data set. Raises LabelError if it is no split file."""
    return not set(_read_split_file(Path(path))).isdisjoint(dataset.files.tolist())


def _read_split_file(path: Path) -> dict[str, str]:
    """The split of each file."""
    content = _parse_split_file(path)
    pairs = [(file, split) for split, files in content.items() for file in files]
    splits = dict(pairs)
    if len(splits) < len(pairs):
        counts = Counter(file for file, _ in pairs)
        twice = sorted(file for file, count in counts.items() if count > 1)
        raise LabelError(format_errors(f"Photos that {path} names twice", twice, "Keep each in one split."))
    return splits


def _parse_split_file(path: Path) -> dict[str, list[str]]:
    content = read_json(path, "split file")
    if isinstance(content, dict) and set(content) <= set(SPLITS) and all(map(_is_names, content.values())):
        return content
    raise LabelError(f'{path}: expected {{"train": [files], "val": [files], "test": [files]}}.')


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
