"""Write the lists of splits in `ImageSets/`, with one photo per line, without its suffix."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from boxmask.names import without_suffix


def write_lists(folder: Path, splits: Mapping[str, Sequence[str]], with_masks: Collection[str]) -> list[Path]:
    """Write ImageSets/Main, and ImageSets/Segmentation for photos with masks. Returns the files.

    splits: the photos of each split, below JPEGImages; those of the split "" are in no list
    """
    names = Counter(_stem(file).casefold() for files in splits.values() for file in files)
    written = []
    for split in sorted(splits.keys() - {""}):
        files = splits[split]
        lists = {"Main": files, "Segmentation": [file for file in files if file in with_masks]}
        for task, listed in lists.items():
            if listed:
                path = folder / "ImageSets" / task / f"{split}.txt"
                path.parent.mkdir(parents=True, exist_ok=True)
                lines = [_line(file, is_unique=names[_stem(file).casefold()] == 1) for file in listed]
                path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
                written.append(path)
    return written


def _stem(file: str) -> str:
    return posixpath.splitext(posixpath.basename(file))[0]


def _line(file: str, *, is_unique: bool) -> str:
    """The name without suffix; the whole path where that would not do."""
    stem = posixpath.splitext(file)[0]
    is_plain = stem == stem.strip() == without_suffix(stem)
    return stem if is_unique and is_plain else f"JPEGImages/{file}"
