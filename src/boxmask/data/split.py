"""Which photos train, which validate, which test: the set's own choice, else a seeded draw, written down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from boxmask.atomic_write import atomic_write
from boxmask.data.contract import SplitDataset, SplitDatasetT
from boxmask.data.detection.dataset import SPLITS
from boxmask.data.messages import format_errors, format_note
from boxmask.errors import LabelError

SHARES = {"test": 0.2, "val": 0.1}
"""The part of the photos that a drawn split gets, in the order of drawing; train keeps the rest."""

# ---------------------------------------------------------------- drawing


def with_splits(dataset: SplitDatasetT, seed: int = 0) -> SplitDatasetT:
    """Complete the splits that a set came with ("" where it says nothing of a photo).

    - No splits at all: 70 % train, 10 % val, 20 % test are drawn.
    - Some photos in no split: they are for training if no others are, else they are left out.
    - val or test missing: 10 % or 20 % of the train photos are drawn for it.
    - No train photos, as when only test labels were given: nothing is drawn.

    A draw takes the photos in the order of their names, shuffled by the seed, and leaves in train a photo of
    every class as far as possible. Whatever was done is noted.
    """
    came_with_splits = bool((dataset.splits != "").any())
    dataset = _with_rest_settled(dataset)
    if not (dataset.splits == "train").any():
        return _noted(dataset, "the set has no photos to train on")
    missing = [split for split in SHARES if split not in dataset.splits]
    if not missing:
        return dataset
    why = f"the set has no {' and no '.join(missing)} split" if came_with_splits else "the set has no splits"
    return _with_drawn(dataset, why, seed)


def _with_rest_settled(dataset: SplitDatasetT) -> SplitDatasetT:
    """Say what becomes of the photos in no split."""
    rest = dataset.splits == ""
    if "train" in dataset.splits:
        return _without_rest(dataset)
    settled = replace(dataset, splits=np.where(rest, "train", dataset.splits))
    if rest.all() or not rest.any():
        return settled
    return _noted(settled, f"no split is called train: the {rest.sum()} photos in no split are taken for it")


def _without_rest(dataset: SplitDatasetT) -> SplitDatasetT:
    rest = dataset.files[dataset.splits == ""].tolist()
    kept = dataset.subset(np.flatnonzero(dataset.splits != ""))
    return _noted(kept, *format_note(f"{len(rest)} photos are in no split and are left out", rest))


def _noted(dataset: SplitDatasetT, *notes: str) -> SplitDatasetT:
    return replace(dataset, notes=dataset.notes + notes)


def _with_drawn(dataset: SplitDatasetT, why: str, seed: int) -> SplitDatasetT:
    """Draw the splits that are missing from the train photos."""
    shares = {split: share for split, share in SHARES.items() if split not in dataset.splits}
    splits = dataset.splits.copy()
    for split, photos in _draw(dataset, shares, seed).items():
        splits[photos] = split
    result = ", ".join(f"{(splits == split).sum()} {split}" for split in SPLITS)
    parts = " and ".join(f"{share:.0%} for {split}" for split, share in shares.items())
    photos = (dataset.splits == "train").sum()
    said = f"{why}: drew {parts} from {photos} photos with seed {seed}, giving {result}"
    return _noted(replace(dataset, splits=splits), said)


def _draw(dataset: SplitDataset, shares: Mapping[str, float], seed: int) -> dict[str, NDArray[np.int64]]:
    pool = np.flatnonzero(dataset.splits == "train")
    order = pool[np.random.default_rng(seed).permutation(len(pool))]
    staying = _one_of_each_class(dataset, order)
    free = order[~np.isin(order, staying)]
    candidates = np.concatenate([free, staying[::-1]])  # the rarest class is given up last
    drawn, start = {}, 0
    for split, count in _counts(len(pool), len(free), shares).items():
        drawn[split] = candidates[start : start + count]
        start += count
    return drawn


def _one_of_each_class(dataset: SplitDataset, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Photos, the first in the order, that together show every class; those of rare classes first."""
    shows = dataset.counts()[order] > 0
    photos_of_class = shows.sum(axis=0)
    staying: list[int] = []
    for label in np.argsort(photos_of_class, kind="stable"):
        if photos_of_class[label] and not shows[staying, label].any():
            staying.append(int(shows[:, label].argmax()))
    return order[staying]


def _counts(photos: int, free: int, shares: Mapping[str, float]) -> dict[str, int]:
    """How many photos each drawn split gets: its share, at least one, but no more than are free.

    Where next to none are free, because nearly every photo is the only one of some class, a split still gets
    one as long as one is left to train on.
    """
    wanted = {split: max(1, round(share * photos)) for split, share in shares.items()}
    room, total = max(free, len(shares)), sum(wanted.values())
    left, counts = photos - 1, {}
    for split, count in wanted.items():
        fitting = count if total <= room else max(1, count * room // total)
        counts[split] = min(fitting, left)
        left -= counts[split]
    return counts


# ---------------------------------------------------------------- files


def write_split(dataset: SplitDataset, path: str | Path) -> None:
    """Write {"train": [files], "val": [files], "test": [files]} as JSON, the whole file or nothing."""
    split = {name: dataset.files[dataset.splits == name].tolist() for name in SPLITS}
    with atomic_write(Path(path)) as part:
        part.write_text(json.dumps(split, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def with_split_file(
    dataset: SplitDatasetT, path: str | Path, differing: Literal["error", "skip"] = "error"
) -> SplitDatasetT:
    """Take the splits from a file that `write_split` wrote, in place of those that the set has.

    differing: what to do about photos that only one of the two names, as when photos came or went since

    Raises LabelError if it is not such a file, or if it and the set do not name the same photos, once each.
    (Photos that the set's own splits leave out may be missing from it; they stay left out.)
    """
    named = _read_split(Path(path))
    files = set(dataset.files.tolist())
    left_out = set(dataset.files[dataset.splits == ""].tolist()) if "train" in dataset.splits else set()
    remedy = f"Correct {path}, or leave it out to have the photos split anew."
    unnamed = sorted(files - named.keys() - left_out)
    absent = sorted(named.keys() - files)
    if unnamed and differing == "error":
        raise LabelError(format_errors("Photos that the split file does not name", unnamed, remedy))
    if absent and differing == "error":
        raise LabelError(format_errors("Photos of the split file that the set does not have", absent, remedy))
    splits = np.array([named.get(file, "") for file in dataset.files.tolist()], dtype="<U5")
    gone = format_note(f"{len(absent)} photos of {path} are not there any more", absent) if absent else ()
    return _noted(_without_rest(replace(dataset, splits=splits)), *gone)


def split_file_fits(dataset: SplitDataset, path: str | Path) -> bool:
    """Whether a split file is of this set: whether it names any of its photos.

    Raises LabelError if it is not a split file.
    """
    return not set(_read_split(Path(path))).isdisjoint(dataset.files.tolist())


def _read_split(path: Path) -> dict[str, str]:
    """The split of each file that is named."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise LabelError(f"{path}: there is no such split file. Check the spelling.") from error
    except json.JSONDecodeError as error:
        raise LabelError(f"{path}:{error.lineno}:{error.colno}: broken JSON ({error.msg}).") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from error
    if not (
        isinstance(content, dict) and set(content) <= set(SPLITS) and all(map(_is_names, content.values()))
    ):
        raise LabelError(f'{path}: a split file holds {{"train": [files], "val": [files], "test": [files]}}.')
    pairs = [(file, split) for split, files in content.items() for file in files]
    splits = dict(pairs)
    if len(splits) < len(pairs):
        twice = sorted({file for file, split in pairs if [other for other, _ in pairs].count(file) > 1})
        raise LabelError(format_errors(f"Photos that {path} names twice", twice, "Keep each in one split."))
    return splits


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
