"""Which photos of a Pascal VOC set are for training, validation and test."""

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
from boxmask.errors import LabelError
from boxmask.photos.find import PHOTO_ENDINGS

Lists: TypeAlias = dict[str, list[tuple[str, str]]]
"""By split: the names, each with its place."""

_SPLIT_FILE = re.compile(
    r"(?P<above>(.*/)?)ImageSets/(?P<task>(Main|Segmentation)/)?(train|val|test|trainval)\.txt$"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A name in a split file, and where it stands."""

    split: str
    place: str


def read_splits(source: Source, task: Literal["Main", "Segmentation"] = "Main") -> dict[str, Listed]:
    """The names in `ImageSets/Main/{train,val,test,trainval}.txt`, each with its split, if any.

    task: which folder's lists; those beside it are taken where it has none
    Several such folders, as VOC2007 and VOC2012 side by side have them, are put together split by split.
    What only trainval.txt lists is for validation if the same folder has a train.txt but no val.txt, else for
    training. Raises LabelError for a name that stands in two split files.
    """
    together: Lists = defaultdict(list)
    for files in _split_files(source, task):
        for split, names in _lists(source, files).items():
            together[split].extend(names)
    return _merged(together)


def _split_files(source: Source, task: str) -> list[list[str]]:
    """The split files of each folder that has an ImageSets: those of the task, else those beside it."""
    folders: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for file in source.files:
        if parts := _SPLIT_FILE.match(file):
            folders[parts["above"]][parts["task"] or ""].append(file)
    return [files.get(f"{task}/") or files[""] for files in folders.values()]


def _lists(source: Source, files: Sequence[str]) -> Lists:
    """The names of each split in one folder's files."""
    lists = {PurePosixPath(file).stem: list(_names(source, file)) for file in files}
    if "trainval" in lists:
        listed = {name for split in ("train", "val") for name, _ in lists.get(split, [])}
        rest = "val" if "train" in lists and "val" not in lists else "train"
        trainval = lists.pop("trainval")
        lists.setdefault(rest, []).extend(entry for entry in trainval if entry[0] not in listed)
    return lists


def _names(source: Source, file: str) -> Iterator[tuple[str, str]]:
    """The names that a split file lists, without folder and ending, and the place of each."""
    path = source.root / file
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if name := PurePosixPath(line.strip()).name:
            ending = PurePosixPath(name).suffix
            known = ending.lower() in (*PHOTO_ENDINGS, ".xml")
            yield name.removesuffix(ending) if known else name, f"{path}:{number}"


def _merged(lists: Lists) -> dict[str, Listed]:
    splits: dict[str, Listed] = {}
    twice = []
    for split in SPLITS:
        for name, place in lists.get(split, []):
            first = splits.setdefault(name, Listed(split, place))
            if first.split != split:
                twice.append(f"{place}: {name}, which is also at {first.place}")
    if twice:
        remedy = "A photo may be in one split only: take it out of the others."
        raise LabelError(format_errors("Photos in more than one split", twice, remedy))
    return splits
