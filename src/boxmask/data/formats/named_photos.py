"""The photos that the entries of label files name, each found once."""

from __future__ import annotations

from dataclasses import replace

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.kinds import PHOTO_AMBIGUOUS, PHOTO_LISTED_TWICE, SPLIT_OVERLAP
from boxmask.data.formats.labels import PhotoEntry
from boxmask.data.formats.photo_finder import PhotoFinder, check_spelling, path_of_missing
from boxmask.data.formats.source import Source
from boxmask.errors import LabelError
from boxmask.masks import Size
from boxmask.names import ENDING


class NamedPhotos:
    """Collects photos by the names in label files.

    photos: in the order in which they are named first
    """

    def __init__(self, source: Source, findings: Findings, *, without_suffix: bool = False) -> None:
        """without_suffix: whether the format names photos without their suffix."""
        self.photos: list[PhotoEntry] = []
        self.finder = PhotoFinder(source)
        self._findings = findings
        self._without_suffix = without_suffix
        self._by_name: dict[tuple[str, str], int | None] = {}
        self._by_file: dict[str, int] = {}
        self._ambiguous: dict[tuple[str, str], Finding] = {}

    def known(self, name: str, label_file: str) -> int | None:
        """The index of a photo that this label file has named before, in the same words."""
        return self._by_name.get((name, label_file))

    def add(
        self,
        name: str,
        label_file: str,
        location: Location,
        *,
        size: Size | None = None,
        split: str | None = None,
        is_entry: bool = False,
        num_objects: int = 1,
    ) -> int | None:
        """The index of a photo; None if its name is ambiguous, see `report_ambiguous`.

        is_entry:    whether a photo should be named once, by an entry that holds all its objects
        num_objects: that are left out if the name is ambiguous
        """
        key = (name, label_file)
        if key not in self._by_name:
            self._by_name[key] = self._find(name, label_file, location, size, split, is_entry=is_entry)
        elif is_entry and (index := self._by_name[key]) is not None:
            self._report_again(index, location, split, is_entry=True)
        if key in self._ambiguous:
            finding = self._ambiguous[key]
            self._ambiguous[key] = replace(finding, num_left_out=finding.num_left_out + num_objects)
        return self._by_name[key]

    def report_ambiguous(self) -> None:
        """Add the names that may mean several photos, once all are known with their objects."""
        for finding in self._ambiguous.values():
            self._findings.add(finding)

    def _find(
        self,
        name: str,
        label_file: str,
        location: Location,
        size: Size | None,
        split: str | None,
        *,
        is_entry: bool,
    ) -> int | None:
        try:
            match = self.finder.find(name, label_file) if name.strip() else None
        except LabelError as error:
            self._ambiguous[name, label_file] = Finding(PHOTO_AMBIGUOUS, location, error.reason)
            return None
        if match and self._without_suffix:
            match = match.allowing(ENDING)
        if match:
            check_spelling(name, match, location, self._findings)
        file = match.file if match else path_of_missing(name)
        if file in self._by_file:
            self._report_again(self._by_file[file], location, split, is_entry=is_entry)
            return self._by_file[file]
        self._by_file[file] = len(self.photos)
        self.photos.append(PhotoEntry(file, location, size, split, missing_name="" if match else name))
        return self._by_file[file]

    def _report_again(self, index: int, location: Location, split: str | None, *, is_entry: bool) -> None:
        """Report a photo in a second split, or in a second entry."""
        photo = self.photos[index]
        if photo.split != split:
            splits = [name or "no split" for name in (split, photo.split)]
            detail = f"{photo.file} is in {splits[0]} and, by {photo.location}, in {splits[1]}"
            self._findings.add(Finding(SPLIT_OVERLAP, location, detail, photo.file))
        elif is_entry:
            detail = f"{photo.file} is also named by {photo.location}"
            self._findings.add(Finding(PHOTO_LISTED_TWICE, location, detail, photo.file))
