"""Pair photos with label files: `images/train/a.jpg` with `labels/train/a.txt`, or `a.jpg` with `a.txt`."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.kinds import (
    LABEL_FILE_SHARED,
    PHOTO_AMBIGUOUS,
    PHOTO_LISTED_TWICE,
)
from boxmask.data.formats.photo_finder import PhotoFinder, check_spelling
from boxmask.data.formats.yolo.files import holds_labels
from boxmask.errors import LabelError
from boxmask.names import telling_folders

_PHOTO_FOLDERS = ("images", "image", "imgs", "img", "jpegimages", "photos")
_LABEL_FOLDERS = ("labels", "label", "annotations", "txt")


@dataclass
class Pairs:
    """Photos with their label files.

    label_of:  by photo
    orphans:   label files without a photo
    unused:    text files that are no labels of these photos
    left_out:  photos that share the label file of another one
    """

    label_of: dict[str, str] = field(default_factory=dict)
    orphans: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)


def find_pairs(
    root: Path,
    photos: Iterable[str],
    labels: Sequence[str],
    folders: Sequence[str],
    finder: PhotoFinder,
    findings: Findings,
) -> Pairs:
    """The label file of each photo that has one.

    folders: of photos, in whose folders for labels every label file should have its photo

    A file without a photo is an orphan only beside other labels of these photos. Files elsewhere may be
    predictions or notes, and are unused.
    """
    label_folders = _LabelFolders(labels)
    pairs = Pairs()
    photos_of = _pair_exactly(photos, label_folders, pairs)
    _report_shared(root, photos_of, pairs, findings)
    expected = {folder for photo_folder in folders for folder in label_folders.for_photos_in(photo_folder)}
    expected |= {posixpath.dirname(label) for label in photos_of}
    rest = defaultdict(list)
    for label in labels:
        if label not in photos_of:
            rest[posixpath.dirname(label)].append(label)
    for folder, files in rest.items():
        if folder in expected or (not folders and holds_labels(root, files[:3])):
            _pair_by_name(root, files, finder, pairs, findings)
        else:
            pairs.unused.extend(files)
    return pairs


def exact_pairs(photos: Iterable[str], labels: Sequence[str]) -> dict[str, str]:
    """The label file of each photo that has one of the same name in a folder that belongs to its own."""
    pairs = Pairs()
    _pair_exactly(photos, _LabelFolders(labels), pairs)
    return pairs.label_of


def lie_as_labels(photos: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether a photo has a text file in a folder for labels, as `labels/a.txt` of `images/a.jpg`.

    Not if such a folder holds photos as well: they may be label maps.
    """
    in_folders = [label for label in labels if _in_folder_called(_LABEL_FOLDERS, label)]
    if not in_folders or any(_in_folder_called(_LABEL_FOLDERS, photo) for photo in photos):
        return False
    outside_classes = (
        photo for photo in photos if "/" not in photo or _in_folder_called(_PHOTO_FOLDERS, photo)
    )
    return bool(exact_pairs(outside_classes, in_folders))


def _in_folder_called(names: Sequence[str], file: str) -> bool:
    return any(part.lower() in names for part in file.split("/")[:-1])


class _LabelFolders:
    """The folders of label files, and which of them may hold the labels of a folder of photos."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.files = {posixpath.splitext(label)[0]: label for label in labels}
        self._folders = {posixpath.dirname(label) for label in labels}
        self._by_casefold = {folder.casefold(): folder for folder in sorted(self._folders)}
        self._by_telling: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for folder in sorted(self._folders):
            self._by_telling[tuple(telling_folders(f"{folder}/x"))].append(folder)
        self._known: dict[str, list[str]] = {}

    def for_photos_in(self, folder: str) -> list[str]:
        """The folders to look into, the most usual first."""
        if folder not in self._known:
            candidates = [*self._counterparts(folder), folder, *self._inside(folder)]
            alike = self._by_telling.get(tuple(telling_folders(f"{folder}/x")), [])
            candidates += alike if len(alike) == 1 else []
            self._known[folder] = [found for found in dict.fromkeys(candidates) if found in self._folders]
        return self._known[folder]

    def _counterparts(self, folder: str) -> list[str]:
        """The folder with an "images" in its path replaced by "labels", the last one first."""
        parts = folder.split("/")
        names = [
            "/".join([*parts[:index], name, *parts[index + 1 :]])
            for index in range(len(parts) - 1, -1, -1)
            if parts[index].lower() in _PHOTO_FOLDERS
            for name in _LABEL_FOLDERS
        ]
        return [self._by_casefold.get(name.casefold(), "") or name for name in names]

    def _inside(self, folder: str) -> list[str]:
        names = [posixpath.join(folder, name) for name in _LABEL_FOLDERS]
        return [self._by_casefold.get(name.casefold(), "") or name for name in names]


def _pair_exactly(photos: Iterable[str], label_folders: _LabelFolders, pairs: Pairs) -> dict[str, list[str]]:
    """Pair files of the same name in folders that belong together; gives the photos per label file."""
    photos_of: dict[str, list[str]] = {}
    for photo in photos:
        folder, _, name = photo.rpartition("/")
        stem = posixpath.splitext(name)[0]
        for label_folder in label_folders.for_photos_in(folder):
            label = label_folders.files.get(f"{label_folder}/{stem}" if label_folder else stem)
            if label is not None:
                pairs.label_of[photo] = label
                photos_of.setdefault(label, []).append(photo)
                break
    return photos_of


def _report_shared(root: Path, photos_of: dict[str, list[str]], pairs: Pairs, findings: Findings) -> None:
    """Report label files of several photos, and keep the first photo of each."""
    for label, photos in photos_of.items():
        if len(photos) > 1:
            detail = f"is the label file of {' and '.join(photos)}"
            location = Location(str(root / label))
            findings.add(Finding(LABEL_FILE_SHARED, location, detail, photos[0], related=tuple(photos[1:])))
            pairs.left_out.update(photos[1:])
            for photo in photos[1:]:
                del pairs.label_of[photo]


def _pair_by_name(
    root: Path, labels: Sequence[str], finder: PhotoFinder, pairs: Pairs, findings: Findings
) -> None:
    """Pair label files whose names are spelled otherwise than those of their photos."""
    for label in labels:
        location = Location(str(root / label))
        try:
            match = finder.find_namesake(label)
        except LabelError as error:
            count = count_lines(root / label)
            findings.add(Finding(PHOTO_AMBIGUOUS, location, error.reason, num_left_out=count))
            continue
        if match is None:
            pairs.orphans.append(label)
        elif match.file in pairs.label_of:
            detail = f"is for {match.file}, which has {pairs.label_of[match.file]}"
            count = count_lines(root / label)
            findings.add(Finding(PHOTO_LISTED_TWICE, location, detail, match.file, num_left_out=count))
        else:
            pairs.label_of[match.file] = label
            stem = posixpath.splitext(posixpath.basename(label))[0]
            check_spelling(stem, match, location, findings)


def count_lines(path: Path) -> int:
    """The objects of a label file that is not read: its lines that are not empty. 0 if it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError:  # which only means that they are not counted
        return 0
    return sum(bool(line.strip()) for line in content.splitlines())
