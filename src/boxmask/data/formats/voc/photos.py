"""The photo of each label file of a Pascal VOC data set.

Two names tell it: <filename> and the label file's own name. If these are different photos, files were
renamed or copied after labeling. Then the label file's own name counts, as in VOC's lists and in other
readers of VOC, unless the declared size fits only the photo in <filename>. Every such choice is noted.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.kinds import NAME_INEXACT, PHOTO_AMBIGUOUS, PHOTO_LISTED_TWICE
from boxmask.data.formats.photo_finder import PhotoFinder, path_of_missing
from boxmask.data.formats.voc.annotation import VocHeader
from boxmask.errors import LabelError, PhotoError
from boxmask.names import Match
from boxmask.photos.size import photo_size

_OWN = "<filename> is another photo; the photo with the name of this file is used"
_NAMED = (
    "<filename> and the name of this file are different photos; the photo in <filename> is used, because "
    "only it has the declared size"
)
_STALE = "<filename> does not exist; the photo with the name of this file is used"


@dataclass(frozen=True, slots=True)
class _LabelFile:
    """A label file, and the photos that it may belong to, if they exist.

    named:    the photo in its <filename>
    namesake: the photo with the label file's own name
    """

    root: Path
    voc: VocHeader
    named: Match | None
    namesake: Match | None

    @property
    def name(self) -> str:
        """The name of the photo in its <filename>, else its own."""
        return self.voc.filename or self.voc.stem

    @property
    def exists(self) -> bool:
        """Whether one of the names is that of a photo."""
        return self.named is not None or self.namesake is not None

    @property
    def location(self) -> Location:
        """The file and the line of its <filename>."""
        return Location(str(self.root / self.voc.file), self.voc.line)


@dataclass(frozen=True, slots=True)
class VocPhoto:
    """The photo of a label file.

    missing_name: see `PhotoEntry`
    """

    file: str
    missing_name: str = ""


def find_voc_photos(
    voc_files: Sequence[VocHeader], finder: PhotoFinder, root: Path, findings: Findings
) -> dict[str, VocPhoto]:
    """The photo of each label file.

    Files whose photo may be several, or has another label file, are left out and added to the findings.
    """
    label_files = [found for file in voc_files if (found := _find_names(file, finder, root, findings))]
    existing = [label_file for label_file in label_files if label_file.exists]
    photos = _choose(existing, findings)
    photo_of = _one_file_per_photo(photos, existing, findings)
    for label_file in label_files:
        if not label_file.exists:
            name = label_file.name
            photo_of[label_file.voc.file] = VocPhoto(path_of_missing(name), name)
    return photo_of


def _find_names(file: VocHeader, finder: PhotoFinder, root: Path, findings: Findings) -> _LabelFile | None:
    """Look up both names; None if one of them may be several photos and the other one is none."""
    named, named_error = _try(lambda: finder.find_in_folders_of(file.filename, file.file))
    if named and named.is_exact and posixpath.splitext(posixpath.basename(named.file))[0] == file.stem:
        return _LabelFile(root, file, named, named)
    namesake, namesake_error = _try(lambda: finder.find_namesake(file.file))
    label_file = _LabelFile(root, file, named, namesake)
    error = named_error or namesake_error
    if error and named is None and namesake is None:
        findings.add(Finding(PHOTO_AMBIGUOUS, label_file.location, error.reason))
        return None
    return label_file


def _try(find: Callable[[], Match | None]) -> tuple[Match | None, LabelError | None]:
    try:
        return find(), None
    except LabelError as error:
        return None, error


# ---------------------------------------------------------------- <filename> or the label file's own name


def _choose(label_files: Sequence[_LabelFile], findings: Findings) -> list[str]:
    """The photo of each label file. Choices and inexact names are added to the findings."""
    matches = [label_file.named or label_file.namesake for label_file in label_files]
    claims = Counter(match.file for match in matches if match)
    photos = []
    for label_file in label_files:
        match, reason = _decide(label_file, claims)
        photos.append(match.file)
        if reason:
            namesake = label_file.namesake
            rejected = namesake.file if reason == _NAMED and namesake else label_file.voc.filename
            detail = f"{match.file}, not {rejected}: {reason}"
            findings.add(Finding(NAME_INEXACT, label_file.location, detail, match.file))
        elif not match.is_exact:
            detail = match.describe(label_file.name)
            findings.add(Finding(NAME_INEXACT, label_file.location, detail, match.file))
    return photos


def _decide(label_file: _LabelFile, claims: Mapping[str, int]) -> tuple[Match, str]:
    """The photo of a label file, and the reason for this choice, "" if there is no other.

    claims: how many label files each photo has if all go by their <filename>
    """
    named, namesake = label_file.named, label_file.namesake
    if named is None or namesake is None:
        only = named or namesake
        assert only is not None  # else it is missing
        is_stale = namesake is not None and label_file.voc.filename
        return only, _STALE if is_stale else ""
    if named.file == namesake.file:
        return (namesake if namesake.is_exact else named), ""
    if namesake.is_exact and not named.is_exact:
        return namesake, _OWN
    fits_named, fits_namesake = (_has_size(label_file, match.file) for match in (named, namesake))
    if fits_named != fits_namesake:
        return (named, _NAMED) if fits_named else (namesake, _OWN)
    if claims[named.file] > 1:
        return named, ""  # refused: the photo has several label files
    return namesake, _OWN


def _has_size(label_file: _LabelFile, photo: str) -> bool:
    """Whether a photo has the declared size. An unreadable photo, which is reported later, has not."""
    try:
        return photo_size(label_file.root / photo) == label_file.voc.declared_size
    except PhotoError:
        return False


def _one_file_per_photo(
    photos: Sequence[str], label_files: Sequence[_LabelFile], findings: Findings
) -> dict[str, VocPhoto]:
    """The photos by label file. Of several label files of a photo, the first one is kept."""
    first: dict[str, _LabelFile] = {}
    photo_of: dict[str, VocPhoto] = {}
    for photo, label_file in zip(photos, label_files, strict=True):
        known = first.setdefault(photo, label_file)
        if known is label_file:
            photo_of[label_file.voc.file] = VocPhoto(photo)
        else:
            detail = f"{photo} also has the label file {known.location}"
            findings.add(
                Finding(PHOTO_LISTED_TWICE, label_file.location, detail, photo, related=(known.voc.file,))
            )
    return photo_of
