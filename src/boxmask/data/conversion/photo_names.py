"""The names of photos in a data set that is written."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import count

from boxmask.data.split_words import split_from_name
from boxmask.names import telling_folders, without_suffix

_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\udc80-\udcff]")
"""Control characters, and the surrogates that stand for bytes of a name that is not UTF-8."""


def names_of_photos(files: Sequence[str], splits: Sequence[str]) -> list[str]:
    """Names with folders, without those that only tell the layout or the split of a data set.

        ["images/train/a.jpg", "images/val/b.jpg"], ["train", "val"] -> ["a.jpg", "b.jpg"]

    files:  paths with "/", relative to the data set that is read
    splits: of the photos, "" for none

    No two names are the same apart from case and suffix, so that label files can be named after photos. If
    two would be, all keep their folders; if they still are, the later ones get a number. Control characters,
    and bytes that are no text, become their numbers, because label files cannot hold them.
    """
    files = [_UNWRITABLE.sub(lambda found: f"_{ord(found[0]) & 0xFF:02x}", file) for file in files]
    keeps: tuple[Callable[[str, str], bool], ...] = (_tells_more_than_split, _tells)
    for keep in keeps:
        names = [_with_folders(file, split, keep) for file, split in zip(files, splits, strict=True)]
        if len({_key(name) for name in names}) == len(names):
            return names
    return _numbered(files)


def _numbered(files: Sequence[str]) -> list[str]:
    """The paths, with a number where one is the same as an earlier one apart from case and suffix."""
    taken = {_key(file) for file in files}
    seen: set[str] = set()
    names = []
    for file in files:
        stem, suffix = posixpath.splitext(file)
        numbered = (f"{stem}_{number}{suffix}" for number in count(2))
        is_repeated = _key(file) in seen
        name = next(name for name in numbered if _key(name) not in taken) if is_repeated else file
        seen.add(_key(file))
        taken.add(_key(name))
        names.append(name)
    return names


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
    """The name without case and all suffixes: a.jpg, a.PNG and a.jpg.png are the same."""
    shorter = without_suffix(name)
    while shorter != name:
        name, shorter = shorter, without_suffix(shorter)
    return unicodedata.normalize("NFC", name).casefold()
