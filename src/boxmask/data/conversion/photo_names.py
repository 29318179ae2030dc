"""The names of photos in a data set that is written."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Callable, Sequence

from boxmask.data.formats.source import split_from_name
from boxmask.names import telling_folders, without_suffix

_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\udc80-\udcff]")
"""Control characters, and the surrogates that stand for bytes of a name that is not UTF-8."""


def names_of_photos(files: Sequence[str], splits: Sequence[str]) -> list[str]:
    """Names with folders, without those that only tell the layout or the split of a data set.

        ["images/train/a.jpg", "images/val/b.jpg"], ["train", "val"] -> ["a.jpg", "b.jpg"]

    files:  paths with "/", relative to the data set that is read
    splits: of the photos, "" for none

    If two of the names would then be the same, apart from case and suffix, all keep their folders. Control
    characters, and bytes that are no text, become their numbers, because label files cannot hold them.
    """
    files = [_UNWRITABLE.sub(lambda found: f"_{ord(found[0]) & 0xFF:02x}", file) for file in files]
    keeps: tuple[Callable[[str, str], bool], ...] = (_tells_more_than_split, _tells)
    for keep in keeps:
        names = [_with_folders(file, split, keep) for file, split in zip(files, splits, strict=True)]
        if len({_key(name) for name in names}) == len(names):
            return names
    return files


def _with_folders(file: str, split: str, keep: Callable[[str, str], bool]) -> str:
    *folders, name = file.split("/")
    return posixpath.join(*(folder for folder in folders if keep(folder, split)), name)


def _tells(folder: str, split: str) -> bool:
    """Whether a folder tells more than the kind of its files, unlike "images"."""
    return bool(telling_folders(f"{folder}/photo"))


def _tells_more_than_split(folder: str, split: str) -> bool:
    """Whether a folder tells more than the kind and the split of its files, unlike "train_images"."""
    words = telling_folders(f"{folder}/photo")
    names_split = (
        bool(split) and len(words) == 1 and words[0].isalpha() and split_from_name(words[0]) == split
    )
    return bool(words) and not names_split


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", without_suffix(name)).casefold()
