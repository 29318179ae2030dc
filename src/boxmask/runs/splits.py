"""The labeled photos that a run is evaluated on, and those of them that it has seen in training."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from boxmask.data.common_photos import CommonPhotos, find_common_photos
from boxmask.data.contract import SplitDatasetT
from boxmask.data.seen import Seen
from boxmask.data.split import without_unsplit_photos
from boxmask.data.split_file import read_split_file
from boxmask.errors import LabelError, UsageError
from boxmask.messages import format_count, format_short_note
from boxmask.options import check_choice, option
from boxmask.runs.ancestors import read_ancestors
from boxmask.runs.run import Run
from boxmask.runs.same_photos import was_read_from

PathLike: TypeAlias = str | os.PathLike[str]
Split: TypeAlias = Literal["train", "val", "test", "all"]


@dataclass(frozen=True)
class _RunPhotos:
    """What a run knows about the photos of a data set.

    why_not_used: why its split is not used, if the data set is not its own
    is_own:       whether the data set is the one that the run was trained on
    seen:         the photos of its training and validation
    contents:     digests of photos, as far as they are known
    """

    why_not_used: str = ""
    is_own: bool = False
    seen: Mapping[str, Seen] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)


class NoPhotosOfSplitError(LabelError):
    """A data set has no photos of a split."""


def select_split(
    unsplit: SplitDatasetT,
    run: PathLike,
    data: PathLike,
    split: Split,
    *,
    unseen: bool = False,
    others: Sequence[PathLike] = (),
) -> SplitDatasetT:
    """The photos of one split, with those that the run or its ancestors have seen in training.

    If this is the data set that the run was trained on, the run's split is used (see `common_photos.py`).
    Otherwise the data set's split is used. No new split is drawn: it could put photos that the run was
    trained on into the test split.

    unsplit: a data set with the split that it came with, if any
    run:     a `Run`, its folder or a checkpoint in it
    data:    the path of the data set
    unseen:  whether to leave out the photos that were seen
    others:  further runs of an ensemble, whose training photos count as seen, too

    Raises LabelError if no photos are left, or if the run's split file is damaged; CheckpointError if its
    ancestors.json is; UsageError for an unknown split, and for `unseen` if the run has no record of its
    photos.
    """
    check_choice("split", split, Split)
    folder = Run.from_path(run)
    dataset, known = _with_run_split(unsplit, folder, Path(data))
    selected = dataset if split == "all" else dataset.subset(np.flatnonzero(dataset.splits == split))
    if not len(selected):
        reason = f" Note: {known.why_not_used}." if known and known.why_not_used else ""
        raise NoPhotosOfSplitError(
            f"{os.fspath(data)}: there are no {split} photos. The data set defines no such split, and the "
            f"run's split file does not cover it. Choose another --split; all takes every photo.{reason}"
        )
    selected = _with_seen(selected, folder, Path(data), split, known)
    if unseen:
        selected = _without_seen(selected, os.fspath(run))
    for other in others:
        known = _with_run_split(unsplit, Run.from_path(other), Path(data))[1]
        also = _with_seen(selected, Run.from_path(other), Path(data), split, known)
        selected = _without_seen(also, os.fspath(other)) if unseen else _seen_by_both(selected, also)
    return selected


def mark_seen(dataset: SplitDatasetT, run: PathLike, data: PathLike) -> SplitDatasetT:
    """The photos of a data set, with those that a run or its ancestors have seen in training.

    The splits stay as they are. Validation photos of the run count as seen. `seen` is None if there is no
    record of the photos that it was trained on.

    Raises LabelError if the run's split file is damaged, and CheckpointError if its ancestors.json is.
    """
    folder = Run.from_path(run)
    known = _with_run_split(dataset, folder, Path(data))[1]
    return _with_seen(dataset, folder, Path(data), "test", known)


def _with_run_split(dataset: SplitDatasetT, run: Run, data: Path) -> tuple[SplitDatasetT, _RunPhotos | None]:
    """The data set with the split of the run and notes on differences, or as it is; and what the run knows.

    None if the run has no split file.
    """
    if not run.split_file.is_file():
        return dataset, None
    split_file = read_split_file(run.split_file)
    common = find_common_photos(dataset, split_file)
    read_from_here = was_read_from(run, dataset.root, data)
    if not common.is_data_set_of_run(read_from_here):
        notes = dataset.notes + common.notes_on_other_data_set()
        known = {**common.copies, **common.moved, **common.same}
        seen = _seen_by(run, common, known)
        return replace(dataset, notes=notes), _RunPhotos(
            common.why_not_used(), seen=seen, contents=common.contents
        )
    names = common.names(read_from_here)
    split_of = common.splits(read_from_here)
    splits = np.array([split_of.get(photo, "") for photo in dataset.files.tolist()], dtype="<U5")
    notes = dataset.notes + common.notes(read_from_here)
    own = without_unsplit_photos(replace(dataset, splits=splits, notes=notes, draw=split_file.draw))
    return own, _RunPhotos(is_own=True, seen=_seen_by(run, common, names), contents=common.contents)


def _seen_by(run: Run, common: CommonPhotos, names: Mapping[str, str]) -> dict[str, Seen]:
    """The photos that the run was trained or validated on, and copies of its training photos.

    names: the name of each photo in the run
    """
    splits, path = common.file.splits, str(run.path)
    trained = {digest: name for name, digest in common.file.contents.items() if splits.get(name) == "train"}
    seen = {photo: Seen(path, splits[name], name) for photo, name in names.items() if splits[name] != "test"}
    copies = {
        photo: Seen(path, "train", trained[digest])
        for photo, digest in common.contents.items()
        if digest in trained and (photo not in seen or seen[photo].split != "train")
    }
    return {**seen, **copies}


def _with_seen(
    dataset: SplitDatasetT, run: Run, data: Path, split: Split, known: _RunPhotos | None
) -> SplitDatasetT:
    """The data set with the photos that were seen, and a note on those that are not the run's own.

    Validation photos count where the test photos or other data sets are evaluated: on them, the best weights
    were chosen.
    """
    if known is None:
        return replace(dataset, seen=None)
    photos = dataset.files.tolist()
    ancestors = read_ancestors(run)
    seen = ancestors.find(dataset.root, photos, data, known.contents)
    for photo in photos:
        own = known.seen.get(photo)
        if own and (own.split == "train" or photo not in seen):
            seen[photo] = own
    if known.is_own and split != "test":
        seen = {photo: found for photo, found in seen.items() if found.split == "train"}
    lines = [
        f"{photo}: {found.split} of {found.run}" + (f" ({found.name})" if photo != found.name else "")
        for photo, found in seen.items()
        if not known.is_own or found is not known.seen.get(photo)
    ]
    notes = dataset.notes + format_short_note("photos that were seen in training", lines)
    return replace(dataset, seen=seen if seen or not ancestors.unknown else None, notes=notes)


def _seen_by_both(dataset: SplitDatasetT, also: SplitDatasetT) -> SplitDatasetT:
    """The second data set with the photos that were seen of both; training photos come before others."""
    first, second = dataset.seen or {}, also.seen or {}
    trained = {photo: found for photo, found in first.items() if found.split == "train"}
    seen = {**first, **second, **trained}
    is_unknown = dataset.seen is None or also.seen is None
    return replace(also, seen=None if is_unknown and not seen else seen)


def _without_seen(dataset: SplitDatasetT, run: str) -> SplitDatasetT:
    """Leave out the photos that were seen.

    Raises UsageError if it is not known which were seen, and LabelError if none is left.
    """
    unknown = read_ancestors(Run.from_path(run)).unknown
    no_record = f"there is no record of the photos that {', '.join(unknown) or run} was trained on"
    if dataset.seen is None:
        remedy = "Leave the option out" if unknown else "Give the folder of a run, or leave the option out"
        raise UsageError(f"{option('unseen')}: {no_record}. {remedy}.")
    kept = dataset.subset(np.flatnonzero([file not in dataset.seen for file in dataset.files.tolist()]))
    if not len(kept):
        raise LabelError(f"{dataset.root}: all {format_count(len(dataset), 'photo')} were seen in training.")
    count = format_count(len(dataset) - len(kept), "photo")
    left_out = f"left out: {count} that were seen in training"
    if unknown:
        return replace(kept, notes=(*kept.notes, f"{left_out}; {no_record}"), seen=None)
    return replace(kept, notes=(*kept.notes, left_out))
