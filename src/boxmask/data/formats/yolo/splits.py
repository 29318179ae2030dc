"""The photos of each split, as data.yaml or lists of photos name them."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from boxmask.data.findings import Finding, Findings, Location, finding_of_error
from boxmask.data.formats.kinds import FILE_UNREADABLE, PHOTO_AMBIGUOUS, SPLIT_OVERLAP
from boxmask.data.formats.photo_finder import PhotoFinder, check_spelling
from boxmask.data.formats.source import Source
from boxmask.data.formats.yolo.definition import Definition, SplitPath
from boxmask.data.formats.yolo.kinds import SPLIT_MISSING, SPLIT_PATH_WRONG
from boxmask.data.formats.yolo.paths import PathFinder
from boxmask.data.split_words import split_from_name
from boxmask.data.text import read_lines
from boxmask.errors import LabelError
from boxmask.messages import format_count
from boxmask.names import normal_path


@dataclass(frozen=True)
class SplitPhotos:
    """The photos of all splits.

    splits:  by photo
    missing: names of photos that do not exist, with their split and location
    folders: the folders that the splits name, existing or not, without those outside the root
    lists:   files that were read
    absent:  splits whose folder or list does not exist, with what is missing
    """

    splits: dict[str, str] = field(default_factory=dict)
    missing: list[tuple[str, str, Location]] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    absent: list[tuple[SplitPath, str]] = field(default_factory=list)


def split_paths_of_lists(source: Source, lists: Sequence[str]) -> tuple[SplitPath, ...]:
    """Lists such as train.txt that no data.yaml names, as splits."""
    return tuple(
        SplitPath(
            split_from_name(posixpath.splitext(posixpath.basename(file))[0]) or "train",
            file,
            Location(str(source.root / file)),
        )
        for file in lists
    )


def find_split_photos(
    source: Source, definition: Definition, finder: PhotoFinder, findings: Findings
) -> SplitPhotos:
    """The photos that the splits of a definition name. `report_absent_splits` adds splits without photos."""
    return _SplitReader(source, definition, finder, findings).read()


def report_absent_splits(
    source: Source, splits: SplitPhotos, unused: Sequence[str], findings: Findings
) -> None:
    """Add the splits whose folder or list does not exist.

    unused: label files that belong to no photo of a split

    Exports name folders that they do not hold, such as one for test without test photos, so that this is a
    warning. It is an error if photos with label files are in no split, or if none of the paths exists.
    """
    labels = {posixpath.splitext(posixpath.basename(label))[0] for label in unused}
    lost = [
        photo
        for photo in source.photos
        if photo not in splits.splits and posixpath.splitext(posixpath.basename(photo))[0] in labels
    ]
    is_wrong = bool(lost) or not splits.splits
    folders = " and ".join(sorted({posixpath.dirname(photo) or "." for photo in lost})[:3])
    count = format_count(len(lost), "photo")
    rest = f"; {count} with labels, in {folders}, are in no split" if lost else ""
    for split, detail in splits.absent:
        kind = SPLIT_PATH_WRONG if is_wrong else SPLIT_MISSING
        findings.add(Finding(kind, split.location, f"{detail}{rest}"))


class _SplitReader:
    def __init__(
        self, source: Source, definition: Definition, finder: PhotoFinder, findings: Findings
    ) -> None:
        self._source, self._finder, self._findings = source, finder, findings
        self._definition, self._paths = definition, PathFinder(source)
        self._found = SplitPhotos()
        self._named_by: dict[str, Location] = {}

    def read(self) -> SplitPhotos:
        for split in self._definition.splits:
            names = [posixpath.join(self._definition.folder, split.path), split.path]
            folders = [posixpath.dirname(self._definition.file), ""]
            if split.path.lower().endswith(".txt"):
                self._add_list(split, names, folders)
            else:
                self._add_folder(split, names, folders)
        return self._found

    def _add_folder(self, split: SplitPath, names: Sequence[str], folders: Sequence[str]) -> None:
        known = (self._paths.find_folder(name, folders) for name in names)
        folder = next((folder for folder in known if folder is not None), None)
        if folder is None:
            inside = posixpath.normpath(posixpath.join(folders[0], split.path.removeprefix("../")))
            self._found.folders.append(inside)
            self._found.absent.append((split, f"{split.path}: no such folder"))
            return
        self._found.folders.append(folder)
        prefix, photos = f"{folder}/" if folder else "", self._source.photos  # sorted
        start, end = bisect_left(photos, prefix), bisect_left(photos, f"{prefix}\U0010ffff")
        self._add_photos(split, photos[start:end], folder or ".")

    def _add_photos(self, split: SplitPath, photos: Sequence[str], folder: str) -> None:
        """Add the photos of a folder. If another split has all of them, that is one finding, not one each."""
        others = {self._found.splits.get(photo) for photo in photos}
        if photos and len(others) == 1 and others.isdisjoint((None, split.split)):
            detail = f"{folder} ({len(photos):,} photos) is in {split.split} and {others.pop()}"
            self._findings.add(Finding(SPLIT_OVERLAP, split.location, detail))
            return
        for photo in photos:
            self._add(photo, split.split, split.location)

    def _add(self, photo: str, split: str, location: Location) -> None:
        first = self._found.splits.setdefault(photo, split)
        self._named_by.setdefault(photo, location)
        if first != split:
            detail = f"{photo} is in {split} and, by {self._named_by[photo]}, in {first}"
            self._findings.add(Finding(SPLIT_OVERLAP, location, detail, photo))

    # ---------------------------------------------------------------- lists

    def _add_list(self, split: SplitPath, names: Sequence[str], folders: Sequence[str]) -> None:
        known = (self._paths.find_file(name, folders) for name in names)
        file = next((file for file in known if file is not None), None)
        if file is None:
            self._found.absent.append((split, f"{split.path}: no such list"))
            return
        self._found.lists.append(file)
        for name, location in self._lines(file):
            photo = self._photo(name, file, location)
            if photo is None:
                self._found.missing.append((name, split.split, location))
            elif photo:
                self._add(photo, split.split, location)

    def _lines(self, file: str) -> Iterator[tuple[str, Location]]:
        path = self._source.root / file
        try:
            lines = read_lines(path)
        except LabelError as error:
            self._findings.add(finding_of_error(FILE_UNREADABLE, path, error))
            return
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield line.strip(), Location(str(path), number)

    def _photo(self, name: str, file: str, location: Location) -> str | None:
        """The photo that a line of a list names: by its path, else by its name as in other formats.

        None if there is none, "" if the name is ambiguous, which becomes a finding.
        """
        folder = posixpath.dirname(self._definition.file)
        base = posixpath.normpath(posixpath.join(folder, normal_path(self._definition.folder)))
        exact = self._paths.find_file(name, [posixpath.dirname(file), base, folder, ""])
        if exact is not None:
            return exact
        try:
            match = self._finder.find(name, file)
        except LabelError as error:
            self._findings.add(Finding(PHOTO_AMBIGUOUS, location, error.reason))
            return ""
        if match is not None:
            check_spelling(name, match, location, self._findings)
        return match.file if match else None
