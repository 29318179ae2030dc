"""Which split of the run each photo was in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from boxmask.data.common_photos import find_common_photos
from boxmask.data.photo_list import PhotoList
from boxmask.data.split_file import read_split_file
from boxmask.runs.run import Run
from boxmask.runs.same_photos import was_read_from


def splits_of_run(run: Path, data: Path, root: Path, files: Sequence[str]) -> Mapping[str, str] | None:
    """The run's split of each photo that it has seen, under any name: "train", "val" or "test".

    data:        the path of the data set
    root, files: its photos

    None if the run has no split file. Raises LabelError if its split file is damaged.
    """
    folder = Run.from_path(run)
    if not folder.split_file.is_file():
        return None
    file = read_split_file(folder.split_file)
    common = find_common_photos(PhotoList.of(root, files, [""] * len(files)), file)
    changed = common.changed if was_read_from(folder, root, data) else {}
    names = {**common.copies, **common.moved, **changed, **common.same}
    return {photo: file.splits[name] for photo, name in names.items()}
