"""The train, val and test lists of a Pascal VOC data set."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from boxmask.data.contract import SPLITS
from boxmask.data.formats.source import Source
from boxmask.data.messages import format_errors
from boxmask.data.text import read_lines
from boxmask.errors import LabelError
from boxmask.file_kinds import PHOTO_SUFFIXES

NamesBySplit: TypeAlias = dict[str, list[tuple[str, str]]]
"""For each split, the names in its list, each with its location."""

_SPLIT_FILE = re.compile(
    r"(?P<above>(.*/)?)ImageSets/(?P<task>(Main|Segmentation)/)?(train|val|test|trainval)\.txt$"
)


@dataclass(frozen=True, slots=True)
class SplitEntry:
    """The split of one name, and the file and line that say so."""

    split: str
    location: str


def read_splits(source: Source, task: Literal["Main", "Segmentation"] = "Main") -> dict[str, SplitEntry]:
    """The names in `ImageSets/Main/{train,val,test,trainval}.txt`; empty if there are no such files.

    task: the folder whose lists are read; without it, those directly in ImageSets

    Lists of several such folders, as of VOC2007 beside VOC2012, are combined per split. Names that only
    trainval.txt lists go to val if the same folder has a train.txt but no val.txt, else to train.
    Raises LabelError for a name in two splits.
    """
    combined: NamesBySplit = defaultdict(list)
    for files in _split_files(source, task):
        for split, names in _read_lists(source, files).items():
            combined[split].extend(names)
    return _entries(combined)


def _split_files(source: Source, task: str) -> list[list[str]]:
    """The split files of each folder that has an ImageSets."""
    folders: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for file in source.files:
        if parts := _SPLIT_FILE.match(file):
            folders[parts["above"]][parts["task"] or ""].append(file)
    return [files.get(f"{task}/") or files[""] for files in folders.values()]


def _read_lists(source: Source, files: Sequence[str]) -> NamesBySplit:
    """The names of each split in the files of one folder."""
    lists = {PurePosixPath(file).stem: list(_read_names(source, file)) for file in files}
    if "trainval" in lists:
        listed = {name for split in ("train", "val") for name, _ in lists.get(split, [])}
        split = "val" if "train" in lists and "val" not in lists else "train"
        trainval = lists.pop("trainval")
        lists.setdefault(split, []).extend(entry for entry in trainval if entry[0] not in listed)
    return lists


def _read_names(source: Source, file: str) -> Iterator[tuple[str, str]]:
    """The names in a split file, without folder and suffix, each with its location."""
    path = source.root / file
    for number, line in enumerate(read_lines(path), start=1):
        if name := PurePosixPath(line.strip().replace("\\", "/")).name:
            suffix = PurePosixPath(name).suffix
            is_file_name = suffix.lower() in (*PHOTO_SUFFIXES, ".xml")
            yield name.removesuffix(suffix) if is_file_name else name, f"{path}:{number}"


def _entries(lists: NamesBySplit) -> dict[str, SplitEntry]:
    entries: dict[str, SplitEntry] = {}
    twice = []
    for split in SPLITS:
        for name, location in lists.get(split, []):
            first = entries.setdefault(name, SplitEntry(split, location))
            if first.split != split:
                twice.append(f"{location}: {name}, also at {first.location}")
    if twice:
        remedy = "Keep each photo in one split and remove it from the others."
        raise LabelError(format_errors("Photos in more than one split", twice, remedy))
    return entries
