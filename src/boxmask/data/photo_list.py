"""The photos of a data set with their splits, before they are opened, and the choice of some of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from boxmask.data.contract import SplitDatasetT
from boxmask.data.draw import Draw
from boxmask.data.seen import Seen


@dataclass(frozen=True)
class PhotoList:
    """P photos of a data set, without their labels; a `SplitDataset`.

    root:   the folder that `files` are relative to
    files:  (P,) str, sorted
    splits: (P,) str, "train", "val" or "test"; "" for a photo in no split
    notes:  remarks on the choice of these photos
    draw:   how the splits were drawn; None if they were given
    seen:   where the evaluated model has seen photos in training; None if that is not known
    """

    UNIT: ClassVar[str] = "photos"  # what `counts` counts

    root: Path
    files: NDArray[np.str_]
    splits: NDArray[np.str_]
    notes: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    draw: Draw | None = None
    seen: Mapping[str, Seen] | None = None

    @staticmethod
    def of(root: Path, files: Sequence[str], splits: Sequence[str]) -> PhotoList:
        """From photos in any order."""
        order = np.argsort(np.array(files, dtype=np.str_), kind="stable")
        return PhotoList(root, np.array(files, dtype=np.str_)[order], np.array(splits, dtype="<U5")[order])

    def __len__(self) -> int:
        return len(self.files)

    def counts(self) -> NDArray[np.int64]:
        """(P, 0): there are no labels."""
        return np.zeros((len(self), 0), dtype=np.int64)

    def subset(self, photos: NDArray[np.int64]) -> PhotoList:
        """The photos with the given indices, in that order."""
        return replace(self, files=self.files[photos], splits=self.splits[photos])

    def without(self, files: Collection[str], notes: tuple[str, ...]) -> PhotoList:
        """Leave out some photos, with notes."""
        kept = self.subset(np.flatnonzero(~np.isin(self.files, list(files))))
        return replace(kept, notes=self.notes + notes)

    def select_from(self, dataset: SplitDatasetT) -> SplitDatasetT:
        """The same photos of a data set, with the splits, notes and seen photos of this list."""
        index = {file: number for number, file in enumerate(dataset.files.tolist())}
        photos = np.array([index[file] for file in self.files.tolist()], dtype=np.int64)
        notes = dataset.notes + self.notes
        return replace(dataset.subset(photos), splits=self.splits, notes=notes, seen=self.seen)


SelectPhotos: TypeAlias = Callable[[PhotoList], PhotoList]
"""Chooses photos of a data set, and may change their splits. Only chosen photos need to be intact."""


def select_all(photos: PhotoList) -> PhotoList:
    """Choose all photos."""
    return photos
