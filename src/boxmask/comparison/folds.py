"""The folds of a comparison: drawn once, and the same for all models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
from jaxtyping import Int

from boxmask.comparison.folder import ComparisonFolder
from boxmask.comparison.options import CompareOptions
from boxmask.comparison.photos import ComparedPhotos
from boxmask.data.groups.folds import classes_not_shown, draw_folds
from boxmask.data.split_file import read_split_file, write_split_file
from boxmask.errors import LabelError, UsageError
from boxmask.options import option
from boxmask.progress import Progress

ItemT = TypeVar("ItemT")


def draw_new_folds(
    photos: ComparedPhotos,
    options: CompareOptions,
    folder: ComparisonFolder,
    progress: Progress | None = None,
) -> tuple[Any, ...]:
    """The data set once per fold, see `draw_folds`; none without folds, and if the folder has them.

    Photos that an earlier split, or that of the command, kept together are in one fold.

    Raises UsageError if there are too few groups of photos, and LabelError for a class that a training would
    not see.
    """
    if options.folds is None or all(file.is_file() for file in _files(options, folder)):
        return ()
    group_by = None if photos.full.draw is None else photos.full.draw.group_by
    drawn = draw_folds(photos.full, options.folds, options.recipe.split_seed or 0, group_by, progress)
    if options.recipe.on_unseen_classes == "error":
        _check_classes(drawn)
    return drawn


def record_folds(
    photos: ComparedPhotos, options: CompareOptions, folder: ComparisonFolder, drawn: Sequence[Any]
) -> ComparedPhotos:
    """Record new folds; returns the photos with their folds, if the options ask for some.

    drawn: of `draw_new_folds`
    """
    if options.folds is None:
        return photos
    files = _files(options, folder)
    for fold, file in zip(drawn, files, strict=False):
        write_split_file(fold, file)
    return replace(photos, fold_of=_read_folds(photos.full, files))


def _files(options: CompareOptions, folder: ComparisonFolder) -> list[Path]:
    return [folder.fold_file(fold + 1) for fold in range(options.folds or 0)]


def _check_classes(drawn: Sequence[Any]) -> None:
    for number, fold in enumerate(drawn, start=1):
        if missing := classes_not_shown(fold):
            raise LabelError(
                f"{option('folds', str(len(drawn)))}: without fold {number}, no training photo shows "
                f"{', '.join(missing)}. Label more photos of these classes, leave them out with "
                f"{option('classes')}, or give {option('on_unseen_classes', 'skip')}."
            )


def _read_folds(full: Any, fold_files: Sequence[Path]) -> Int[np.ndarray, " P"]:
    """The fold of each photo."""
    fold_of: dict[str, int] = {}
    for fold, path in enumerate(fold_files, start=1):
        splits = read_split_file(path).splits
        fold_of |= {file: fold for file, split in splits.items() if split == "test"}
    files = full.files.tolist()
    if fold_of.keys() != set(files):
        raise UsageError(
            f"{fold_files[0].parent}: these folds are those of other photos. Give another --out (in "
            "Python: out)."
        )
    return np.array([fold_of[file] for file in files], dtype=np.int64)


class PooledItems(Sequence[ItemT]):
    """The items of all photos, from those of each fold. They are read when they are asked for."""

    def __init__(self, folds: Sequence[Sequence[ItemT]], indices: Sequence[Sequence[int]]) -> None:
        """Take the items of each fold, and the photos that they belong to."""
        self._folds = folds
        pairs = enumerate(indices)
        places = {photo: (fold, row) for fold, photos in pairs for row, photo in enumerate(photos)}
        self._places = [places[photo] for photo in range(len(places))]

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, photo: int) -> ItemT: ...

    @overload
    def __getitem__(self, photo: slice) -> Sequence[ItemT]: ...

    def __getitem__(self, photo: int | slice) -> ItemT | Sequence[ItemT]:
        """The item of one photo, or of several."""
        if isinstance(photo, slice):
            return [self[index] for index in range(len(self))[photo]]
        fold, row = self._places[photo]
        return self._folds[fold][row]
