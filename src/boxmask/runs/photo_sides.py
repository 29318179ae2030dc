"""The photos of a run, and their size."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from statistics import median

from boxmask.data.split_file import read_split_file
from boxmask.errors import CheckpointError, LabelError, PhotoError
from boxmask.photos.size import photo_size
from boxmask.runs.run import Run, read_recipe

MAX_PHOTOS = 50  # whose headers are read


def training_photo_side(run: Path) -> int | None:
    """The median of the training photos' shorter sides; None if none of them can be found any more.

    run: the folder of a run, or a checkpoint in it
    """
    photos = split_photos(run, "train")
    sides = []
    for photo in photos[:: max(1, len(photos) // MAX_PHOTOS)]:
        with suppress(PhotoError):
            sides.append(min(photo_size(photo)))
    return round(median(sides)) if sides else None


def split_photos(run: Path, split: str) -> list[Path]:
    """The photos of a split of a run, where they were during the training; none if that is not known.

    run:   the folder of a run, or a checkpoint in it
    split: "train", "val" or "test"
    """
    folder = Run.from_path(run)
    try:
        data, splits = read_recipe(folder)[1], read_split_file(folder.split_file).splits
    except (CheckpointError, LabelError):
        return []
    root = data if data.is_dir() else data.parent  # of a label file
    return [root / photo for photo, name in splits.items() if name == split]
