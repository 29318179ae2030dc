"""Which files of a source belong to a YOLO data set: its description, names, lists of photos and labels."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from boxmask.data.formats.source import Source
from boxmask.data.formats.yolo.definition import is_definition
from boxmask.data.split_words import split_from_name
from boxmask.data.text import read_beginning
from boxmask.data.yaml_text import MAX_BYTES, read_yaml
from boxmask.errors import LabelError
from boxmask.file_kinds import PHOTO_SUFFIXES, is_incidental

_NAMES_FILE = re.compile(
    r"((predefined_)?classes|class_?names|labels|names)\.txt|.*\.names|_darknet\.labels", re.IGNORECASE
)
_DEFINITIONS = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml", "obj.data")
_MAX_DEFINITIONS = 50
_MAX_SAMPLES = 50
"""Files that hold something else than YOLO labels, after which no more are looked at."""

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_LABEL_LINE = re.compile(rf"\s*\d+(?:\.0*)?(?:[ \t]+{_NUMBER}){{4,}}[ \t]*(?:[\r\n]|$)")


@dataclass(frozen=True)
class YoloFiles:
    """The files of a YOLO data set, relative to the root.

    definitions: data.yaml or obj.data, the one to use first
    names:       files with one class name per line
    lists:       files with one photo per line, called after a split
    labels:      text files that may be labels
    """

    definitions: tuple[str, ...]
    names: tuple[str, ...]
    lists: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def descriptions(self) -> tuple[str, ...]:
        """All files but the labels."""
        return (*self.definitions, *self.names, *self.lists)


def find_yolo_files(source: Source) -> YoloFiles:
    """Sort the files of a source by what they are in a YOLO data set. Only few files are opened."""
    definitions = _definitions(source)
    is_whole = source.candidates == source.files or any(file in definitions for file in source.candidates)
    texts = [file for file in (source.files if is_whole else source.candidates) if _is_text(file)]
    photos = {_stem(photo) for photo in source.photos}
    names = [file for file in source.files if _holds_names(source.root, file, photos)]
    lists = [file for file in texts if _is_list(source.root, file)]
    others = {*names, *lists}
    labels = [
        file for file in texts if file not in others and (_stem(file) in photos or not is_incidental(file))
    ]
    return YoloFiles(tuple(definitions), tuple(names), tuple(lists), tuple(labels))


def _definitions(source: Source) -> list[str]:
    """The descriptions of YOLO data sets, the one to use first: called data.yaml, and nearest to the root."""
    chosen = [file for file in source.candidates if _has_definition_suffix(file)]
    is_chosen = bool(chosen) and source.candidates != source.files
    files = chosen if is_chosen else [file for file in source.files if _has_definition_suffix(file)]
    files = sorted(files, key=_rank)[:_MAX_DEFINITIONS]
    return [file for file in files if _is_definition(source.root / file)]


def _rank(file: str) -> tuple[int, bool, bool, str]:
    path = PurePosixPath(file)
    return len(path.parts), path.name.lower() not in _DEFINITIONS, path.suffix.lower() == ".data", file


def _has_definition_suffix(file: str) -> bool:
    return file.lower().endswith((".yaml", ".yml", ".data"))


def _is_definition(path: Path) -> bool:
    """Whether a file describes a YOLO data set, or is called as one that does and is damaged."""
    try:
        if path.suffix.lower() == ".data":
            return re.search(r"(?m)^\s*names\s*=", read_beginning(path)) is not None
        return path.stat().st_size <= MAX_BYTES and is_definition(read_yaml(path))
    except LabelError:
        return path.name.lower() in _DEFINITIONS
    except (OSError, ValueError):
        return False


def broken_definitions(source: Source) -> list[str]:
    """A message on each data.yaml that cannot be read."""
    errors = []
    for file in source.candidates:
        if PurePosixPath(file).name.lower() in _DEFINITIONS and file.lower().endswith((".yaml", ".yml")):
            try:
                read_yaml(source.root / file)
            except LabelError as error:
                errors.append(str(error))
    return errors


def _stem(file: str) -> str:
    return posixpath.splitext(posixpath.basename(file))[0]


def _is_text(file: str) -> bool:
    return file.lower().endswith(".txt")


def _holds_names(root: Path, file: str, photos: Container[str]) -> bool:
    """Whether a file is called as one with class names, and does not hold labels."""
    name = posixpath.basename(file)
    if not _NAMES_FILE.fullmatch(name):
        return False
    beginning = _beginning(root / file)
    is_label = _LABEL_LINE.match(beginning) or (not beginning and _stem(file) in photos)
    return not is_label


def _is_list(root: Path, file: str) -> bool:
    """Whether a file is called after a split and begins with the name of a photo."""
    if split_from_name(_stem(file)) is None:
        return False
    beginning = _beginning(root / file).strip().splitlines()
    return bool(beginning) and beginning[0].strip().lower().endswith(PHOTO_SUFFIXES)


# ---------------------------------------------------------------- labels


def holds_labels(root: Path, files: Iterable[str]) -> bool:
    """Whether one of these files begins as YOLO labels do. Only the beginnings of some are read."""
    num_others = 0
    for file in files:
        beginning = _beginning(root / file).lstrip("\ufeff \t\r\n")
        if _LABEL_LINE.match(beginning):
            return True
        num_others += bool(beginning)
        if num_others >= _MAX_SAMPLES:
            return False
    return False


def _beginning(path: Path) -> str:
    try:
        return read_beginning(path, 1024)
    except LabelError:
        return ""
