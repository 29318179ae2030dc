"""Splits that keep groups of photos together, for `--write-split`, and those that training would draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Int, Shaped

from boxmask.data.checks.examination import Examination
from boxmask.data.contract import SPLITS
from boxmask.data.draw import Draw
from boxmask.data.findings import Findings
from boxmask.data.groups.components import members_of_groups
from boxmask.data.groups.copies import Copies
from boxmask.data.groups.group_by import AUTO, Groups, find_groups
from boxmask.data.groups.split import draw_grouped_splits, split_groups
from boxmask.data.photo_records.records import PhotoRecords
from boxmask.data.seen import Seen
from boxmask.data.split_file import write_split_file
from boxmask.doctor.photos.copies import add_group_finding, is_across
from boxmask.doctor.photos.kinds import GROUP_ACROSS_DRAWN_SPLITS


@dataclass(frozen=True)
class _CountedPhotos:
    """P photos with the number of objects of each of K classes; a `SplitDataset`.

    files:       (P,) sorted
    splits:      (P,)
    num_objects: (P, K)
    draw:        how the splits were drawn; None if they were given
    seen:        None: no model is evaluated
    """

    UNIT: ClassVar[str] = "objects"

    root: Path
    class_names: tuple[str, ...]
    files: Shaped[np.ndarray, " P"]
    splits: Shaped[np.ndarray, " P"]
    num_objects: Int[np.ndarray, "P K"]
    notes: tuple[str, ...] = ()
    draw: Draw | None = None
    seen: Mapping[str, Seen] | None = None

    def __len__(self) -> int:
        return len(self.files)

    def counts(self) -> Int[np.ndarray, "P K"]:
        """The number of objects of each class in each photo."""
        return self.num_objects

    def subset(self, photos: Int[np.ndarray, " M"]) -> _CountedPhotos:
        """The photos with the given indices, in that order."""
        return replace(
            self,
            files=self.files[photos],
            splits=self.splits[photos],
            num_objects=self.num_objects[photos],
        )


def write_grouped_split(
    records: PhotoRecords,
    path: Path,
    group_by: str = AUTO,
    seed: int = 0,
    examination: Examination | None = None,
    copies: Copies | None = None,
) -> tuple[str, ...]:
    """Draw a new split of all photos, in which no group is on two sides, and write it as a split file.

    examination: the labels. Every class is then in the training photos, and only labeled photos are split.
    copies:      those of the records, if they are known

    Returns notes on the numbers of photos and groups. Raises UsageError as `find_groups` and
    `split_groups` do, and OutputError if the file cannot be written.
    """
    groups = find_groups(records.root, records.files, group_by, records, copies)
    photos = _photos(records, examination)
    drawn = split_groups(photos, groups.of(records.files, photos.files.tolist()), seed, group_by)
    write_split_file(drawn, path)
    return drawn.notes


def check_drawn_split(
    records: PhotoRecords, groups: Groups, examination: Examination, findings: Findings
) -> None:
    """Add a finding for each group of photos in several splits that training would draw with seed 0.

    groups: of the photos of the records

    Nothing is added if the data set has all splits.
    """
    photos = _photos(records, examination)
    if not len(photos) or all(split in photos.splits for split in SPLITS):
        return
    own = {photo.file: photo.split or "" for photo in examination.labels.photos}
    drawn = draw_grouped_splits(photos)
    drawn_of = dict(zip(drawn.files.tolist(), drawn.splits.tolist(), strict=True))
    drawn_splits = np.array([drawn_of.get(file, "") for file in records.files], dtype="<U5")
    own_splits = np.array([own.get(file, "") for file in records.files], dtype="<U5")
    for members in members_of_groups(groups.numbers):
        members = members[drawn_splits[members] != ""]
        if is_across(drawn_splits[members]) and not is_across(own_splits[members]):
            reason = groups.reasons[groups.numbers[members[0]]]
            add_group_finding(records, findings, GROUP_ACROSS_DRAWN_SPLITS, members, drawn_splits, reason)


def _photos(records: PhotoRecords, examination: Examination | None) -> _CountedPhotos:
    """The photos to split, sorted by name: those that are labeled and exist, with splits and objects."""
    class_names: tuple[str, ...]
    if examination is None:
        names, splits, class_names = list(records.files), [""] * len(records), ()
        counts = np.zeros((len(records), 0), dtype=np.int64)
    else:
        labels, class_names = examination.labels, examination.labels.class_names
        counts = np.zeros((len(labels.photos), len(labels.class_names)), dtype=np.int64)
        np.add.at(counts, (labels.photo_of, labels.labels), 1)
        there = set(records.files)
        kept = [n for n, photo in enumerate(labels.photos) if photo.file in there]
        names, counts = [labels.photos[n].file for n in kept], counts[kept]
        splits = [labels.photos[n].split or "" for n in kept]
    files = np.array(names, dtype=np.str_)
    order = np.argsort(files, kind="stable")
    own_splits = np.array(splits, dtype="<U5")[order]
    return _CountedPhotos(records.root, class_names, files[order], own_splits, counts[order])
