"""The train, val and test lists of a Pascal VOC data set."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from boxmask.data.contract import SPLITS
from boxmask.data.findings import Finding, Findings, Location, finding_of_error
from boxmask.data.formats.kinds import FILE_UNREADABLE, PHOTO_AMBIGUOUS, SPLIT_OVERLAP
from boxmask.data.formats.photo_finder import check_spelling
from boxmask.data.formats.source import Source
from boxmask.data.split_words import split_from_folders
from boxmask.data.text import read_lines
from boxmask.errors import LabelError
from boxmask.names import ENDING, AmbiguousNameError, Match, NameIndex, normal_path, without_suffix

_SPLIT_LIST = re.compile(
    r"(?P<above>(.*/)?)ImageSets/(?P<task>(Main|Segmentation)/)?(train|val|test|trainval)\.txt$"
)


@dataclass(frozen=True, slots=True)
class ListedName:
    """One line of a split list.

    name:     the photo as written: "frame_0", or with folders or suffix, as in "cam1/frame_0.jpg"
    split:    "train", "val" or "test"
    file:     the list, relative to the root
    location: the list and the line
    """

    name: str
    split: str
    file: str
    location: Location


@dataclass(frozen=True, slots=True)
class ListedPhotos:
    """The photos in split lists.

    entries:   the line that lists each photo; the first one if there are several
    unmatched: the lines that list none of the photos
    """

    entries: dict[str, ListedName]
    unmatched: list[ListedName]


def is_split_list(file: str) -> bool:
    """Whether a file is one of VOC's split lists, by its path."""
    return _SPLIT_LIST.match(file) is not None


# ---------------------------------------------------------------- reading


def read_splits(
    source: Source, findings: Findings, task: Literal["Main", "Segmentation"] = "Main"
) -> list[ListedName]:
    """The names in `ImageSets/Main/{train,val,test,trainval}.txt`; none if there are no such files.

    task: the folder whose lists are read; without it, those directly in ImageSets

    Lists of several such folders, as of VOC2007 beside VOC2012, are combined. Names that only trainval.txt
    lists go to val if the same folder has a train.txt but no val.txt, else to train.
    """
    return [name for files in _split_lists(source, task) for name in _read_lists(source, files, findings)]


def _split_lists(source: Source, task: str) -> list[list[str]]:
    """The split lists of each folder that has an ImageSets."""
    folders: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for file in source.files:
        if parts := _SPLIT_LIST.match(file):
            folders[parts["above"]][parts["task"] or ""].append(file)
    return [files.get(f"{task}/") or files[""] for files in folders.values()]


def _read_lists(source: Source, files: Sequence[str], findings: Findings) -> list[ListedName]:
    """The names in the files of one folder."""
    lists = {PurePosixPath(file).stem: _read_names(source, file, findings) for file in files}
    if "trainval" in lists:
        listed = {_key(entry) for split in ("train", "val") for entry in lists.get(split, [])}
        split = "val" if "train" in lists and "val" not in lists else "train"
        rest = [entry for entry in lists.pop("trainval") if _key(entry) not in listed]
        lists.setdefault(split, []).extend(replace(entry, split=split) for entry in rest)
    return [entry for split in SPLITS for entry in lists.get(split, [])]


def _read_names(source: Source, file: str, findings: Findings) -> list[ListedName]:
    path = source.root / file
    try:
        lines = read_lines(path)
    except LabelError as error:
        findings.add(finding_of_error(FILE_UNREADABLE, path, error))
        return []
    split = PurePosixPath(file).stem
    return [
        ListedName(name, split, file, Location(str(path), number))
        for number, line in enumerate(lines, start=1)
        if (name := line.strip())
    ]


def _key(entry: ListedName) -> str:
    return without_suffix(normal_path(entry.name))


# ---------------------------------------------------------------- matching


def match_lists(
    listed: Sequence[ListedName],
    photos: Iterable[str],
    findings: Findings,
    label_files: Mapping[str, str] | None = None,
) -> ListedPhotos:
    """Find the photo of each line: the whole path if the line has folders, else the name.

    label_files: the photo of each label file, for lines that name label files

    Names that may mean several photos are left out and added to the findings; so are photos in two splits.
    """
    names = [{photo: photo for photo in photos}, dict(label_files or {})]
    indexes = [(NameIndex(photo_of), photo_of) for photo_of in names]
    entries: dict[str, ListedName] = {}
    unmatched = []
    for entry in listed:
        found = _find_in(indexes, entry)
        if not found:
            unmatched.append(entry)
        elif len(found) > 1:
            error = AmbiguousNameError(entry.name, [match.file for match in found])
            findings.add(Finding(PHOTO_AMBIGUOUS, entry.location, str(error)))
        else:
            check_spelling(entry.name, found[0], entry.location, findings)
            check_same_split(entries.setdefault(found[0].file, entry), entry, found[0].file, findings)
    return ListedPhotos(entries, unmatched)


def _find_in(indexes: Sequence[tuple[NameIndex, Mapping[str, str]]], entry: ListedName) -> list[Match]:
    """The photos that a line may mean, from the first index with an exact match, else the first with any."""
    candidates = []
    for index, photo_of in indexes:
        if found := _find(entry, index, photo_of):
            if found[0].is_exact:
                return found
            candidates.append(found)
    return candidates[0] if candidates else []


def _find(entry: ListedName, index: NameIndex, photo_of: Mapping[str, str]) -> list[Match]:
    """The photos that a line may mean; only those beside the list, or in its split, if there are any.

    A name without its suffix is an exact match: that is how VOC writes it.
    """
    matches = [
        replace(match.allowing(ENDING), file=photo_of[match.file]) for match in index.matches(entry.name)
    ]
    above = entry.file.partition("ImageSets/")[0]
    beside = [match for match in matches if match.file.startswith(above)] or matches
    in_split = [m for m in beside if split_from_folders(m.file) == entry.split] or beside
    return list({match.file: match for match in in_split}.values())


def check_same_split(first: ListedName, entry: ListedName, photo: str, findings: Findings) -> None:
    """Add a photo that two lines list in different splits."""
    if entry.split != first.split:
        detail = f"{entry.name}, also at {first.location}"
        findings.add(Finding(SPLIT_OVERLAP, entry.location, detail, photo, related=(first.file,)))
