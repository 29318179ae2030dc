"""Find the photo that a label file names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import PurePosixPath

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.kinds import NAME_INEXACT, PATH_ELSEWHERE
from boxmask.data.formats.source import Source
from boxmask.data.split_words import split_from_folders, split_from_path
from boxmask.errors import LabelError
from boxmask.names import (
    ENDING,
    FOLDERS,
    AmbiguousNameError,
    Match,
    NameIndex,
    folders_agree,
    normal_path,
    telling_folders,
)
from boxmask.similar_names import did_you_mean

_PHOTO_FOLDERS = {"jpegimages", "images", "imgs", "photos"}
_ELSEWHERE = re.compile(r"(/|[A-Za-z]:/|~|\.\./)")
"""The beginning of a path that is absolute, or that leads above the folder of its label file."""


class PhotoFinder:
    """Finds photos of a source by the names that label files give them (see `boxmask.names`)."""

    def __init__(self, source: Source) -> None:
        self._files = frozenset(source.files)
        self._photos = source.photos
        self._index = NameIndex(source.photos)
        folders = {posixpath.dirname(photo) for photo in source.photos}
        self._folders = {
            telling for folder in folders for telling in telling_folders(posixpath.join(folder, "photo"))
        }

    def find(self, name: str, label_file: str) -> Match | None:
        """The photo with this name or path; a path is tried from the folder of the label file first.

        Of photos in several folders, the nearest to the label file is taken. Raises LabelError if two are
        equally near.
        """
        if exact := self.find_exact(name, label_file):
            return exact
        return _nearest(name, self._index.matches(name, posixpath.dirname(label_file)), label_file)

    def find_exact(self, name: str, label_file: str) -> Match | None:
        """The file of any format at a path from the folder of the label file, or from the root."""
        for folder in (posixpath.dirname(label_file), ""):
            path = posixpath.normpath(posixpath.join(folder, name))
            if path in self._files:
                return Match(path)
        return None

    def find_in_folders_of(self, name: str, label_file: str) -> Match | None:
        """The photo of a label file that labels one photo only, by the name in the file.

        A name without folders means a photo in the folders of the label file: `Annotations/cam1/x.xml` is not
        for `JPEGImages/cam2/x.jpg`, at least if there are photos in a folder cam1. Raises as `find` does.
        """
        if "/" in normal_path(name):
            return self.find(name, label_file)
        if exact := self.find_exact(name, label_file):
            return exact
        matches = self._index.matches(name, posixpath.dirname(label_file))
        possible = [match for match in matches if not self._contradicts(match.file, label_file)]
        return _nearest(name, possible, label_file)

    def find_namesake(self, label_file: str) -> Match | None:
        """The photo with the name of a label file, in any photo format. Raises as `find` does."""
        match = self.find_in_folders_of(posixpath.splitext(posixpath.basename(label_file))[0], label_file)
        return match.allowing(ENDING) if match else None

    def did_you_mean(self, name: str, excluded: Collection[str] = ()) -> str:
        """The photos with the most similar names, as part of a message. excluded: photos not to name"""
        return did_you_mean(name, (photo for photo in self._photos if photo not in excluded))

    def _contradicts(self, photo: str, label_file: str) -> bool:
        """Whether the folders of a label file tell of another photo."""
        splits = {split_from_folders(file) for file in (photo, label_file)} - {None}
        folders, label_folders = telling_folders(photo), telling_folders(label_file)
        differ = not folders_agree(folders, label_folders)
        return len(splits) > 1 or (differ and label_folders[-1] in self._folders)


def path_of_missing(name: str) -> str:
    """A path below the root for a photo that does not exist, whatever path the label gives."""
    path = re.sub(r"^([A-Za-z]:)?(/|\.\.(/|$))*", "", normal_path(name))
    return "unnamed" if path in ("", ".") else path


def check_spelling(name: str, match: Match, location: Location, findings: Findings) -> None:
    """Add a finding for a name that is not spelled as the file that it means."""
    if not match.is_exact:
        leads_elsewhere = match.differences == (FOLDERS,) and _ELSEWHERE.match(normal_path(name))
        kind = PATH_ELSEWHERE if leads_elsewhere else NAME_INEXACT
        findings.add(Finding(kind, location, match.describe(name), match.file))


def join_paths_elsewhere(findings: Findings) -> None:
    """One finding for all paths that lead elsewhere: often, all labels were made on another computer."""
    count = findings.count(PATH_ELSEWHERE)
    if count > 1:
        parts = findings.of(PATH_ELSEWHERE)
        first = parts[0]
        findings.remove_all(PATH_ELSEWHERE)
        findings.add(replace(first, detail=f"{count:,} paths; the first: {first.detail}", parts=parts))


def _nearest(name: str, matches: list[Match], label_file: str) -> Match | None:
    """The match whose folders have most in common with those of the label file."""
    if len(matches) < 2:
        return matches[0] if matches else None
    ranked = sorted(matches, key=lambda match: _similarity(match.file, label_file), reverse=True)
    best = _similarity(ranked[0].file, label_file)
    equal = [match.file for match in ranked if _similarity(match.file, label_file) == best]
    if len(equal) > 1:
        example = f'Name its folders in the label file, such as "{min(equal)}"'
        advice = f"{example}, or keep only one of these photos in the data set."
        raise LabelError.in_file(label_file, f"{AmbiguousNameError(name, sorted(equal))}. {advice}")
    return ranked[0]


def _similarity(photo: str, label_file: str) -> tuple[bool, bool, int, bool]:
    """In order of weight: the same split, the same telling folders, common folders, a folder for photos."""
    folders, label_folders = PurePosixPath(photo).parts[:-1], PurePosixPath(label_file).parts[:-1]
    split = split_from_path(label_file)
    same_split = split is not None and split_from_folders(photo) == split
    same_folders = telling_folders(photo) == telling_folders(label_file)
    is_for_photos = any(folder.lower() in _PHOTO_FOLDERS for folder in folders)
    return same_split, same_folders, len(set(folders) & set(label_folders)), is_for_photos
