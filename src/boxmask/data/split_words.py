"""The words that name a split in files, folders and labels: "train", "valid", "testing" and so on."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from pathlib import PurePosixPath

SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "trainval": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""The split that each word means."""

_SPLIT_FOLDER = re.compile(rf"({'|'.join(SPLIT_WORDS)})\d*", re.IGNORECASE)


def split_from_name(name: str) -> str | None:
    """The split that a name contains: train for "instances_train2017" and "trainval", val for "valid"."""
    words = re.findall("[a-z]+", name.lower())
    splits = {SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS}
    if splits == {"train", "val"}:
        return "train"
    return splits.pop() if len(splits) == 1 else None


@lru_cache(maxsize=4096)
def split_from_path(file: str) -> str | None:
    """The split that the file's name contains, else the name of its nearest folder with one."""
    path = PurePosixPath(file)
    names = [path.stem, *(parent.name for parent in path.parents)]
    return next((split for name in names if (split := split_from_name(name))), None)


def split_from_folders(file: str) -> str | None:
    """The split that the nearest of a file's folders names. The name of the file itself does not count."""
    return split_from_path(posixpath.dirname(file))


def is_split_folder(folder: str) -> bool:
    """Whether a folder is named after a split and nothing else, such as "train2017"."""
    return _SPLIT_FOLDER.fullmatch(folder) is not None
