"""Which photos of a Pascal VOC set are for training, validation and test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from boxmask.data.dataset import SPLITS
from boxmask.data.faults import complaint
from boxmask.data.formats.source import Source
from boxmask.errors import LabelError
from boxmask.pipeline.photos import PHOTO_ENDINGS


@dataclass(frozen=True, slots=True)
class Listed:
    """A name in a split file, and where it stands."""

    split: str
    place: str


def read_splits(source: Source) -> dict[str, Listed]:
    """The names in `ImageSets/Main/{train,val,test,trainval}.txt`, each with its split, if any.

    What only trainval.txt lists is for validation if there is a train.txt but no val.txt, else for training.
    Raises LabelError for a name that stands in two split files.
    """
    lists = {PurePosixPath(file).stem: list(_names(source, file)) for file in _split_files(source)}
    if "trainval" in lists:
        listed = {name for split in ("train", "val") for name, _ in lists.get(split, [])}
        rest = "val" if "train" in lists and "val" not in lists else "train"
        trainval = lists.pop("trainval")
        lists.setdefault(rest, []).extend(entry for entry in trainval if entry[0] not in listed)
    return _merged(lists)


def _split_files(source: Source) -> list[str]:
    for folder in ("ImageSets/Main", "ImageSets"):
        pattern = re.compile(rf"(^|/){folder}/(train|val|test|trainval)\.txt$")
        if files := [file for file in source.files if pattern.search(file)]:
            return files
    return []


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


def _merged(lists: dict[str, list[tuple[str, str]]]) -> dict[str, Listed]:
    splits: dict[str, Listed] = {}
    twice = []
    for split in SPLITS:
        for name, place in lists.get(split, []):
            first = splits.setdefault(name, Listed(split, place))
            if first.split != split:
                twice.append(f"{place}: {name}, which is also at {first.place}")
    if twice:
        remedy = "A photo may be in one split only: take it out of the others."
        raise LabelError(complaint("Photos in more than one split", twice, remedy))
    return splits
