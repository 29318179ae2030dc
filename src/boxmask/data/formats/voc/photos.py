"""The photo of each label file of a Pascal VOC data set.

Two names tell it: <filename> and the label file's own name. If these are different photos, files were
renamed or copied after labeling. Then the label file's own name counts, as in VOC's lists and in other
readers of VOC, unless the declared size fits only the photo in <filename>. Every such choice is noted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxmask.data.formats.photo_finder import PhotoFinder, note_on_inexact_names, path_of_missing
from boxmask.data.formats.voc.xml_file import VocFile
from boxmask.errors import LabelError, PhotoError
from boxmask.messages import format_errors, format_note
from boxmask.names import Match
from boxmask.photos.size import photo_size

_OWN = "label files whose <filename> is another photo; the photo with their own name is used"
_NAMED = (
    "label files whose own name is another photo; the photo in <filename> is used, because only it has the "
    "declared size"
)
_STALE = "label files whose <filename> does not exist; the photo with their own name is used"


@dataclass(frozen=True, slots=True)
class _LabelFile:
    """A label file with the photos that its <filename> and its own name mean, if they exist."""

    root: Path
    voc: VocFile
    by_filename: Match | None
    by_own_name: Match | None

    @property
    def name(self) -> str:
        """The name of the photo in its <filename>, else its own."""
        return self.voc.filename or self.voc.stem

    @property
    def exists(self) -> bool:
        """Whether one of the names is that of a photo."""
        return self.by_filename is not None or self.by_own_name is not None

    @property
    def location(self) -> str:
        """The file and the line of its <filename>."""
        return f"{self.root / self.voc.file}:{self.voc.line}"


def find_voc_photos(
    voc_files: Sequence[VocFile], finder: PhotoFinder, root: Path
) -> tuple[list[str], dict[str, str], tuple[str, ...]]:
    """The photo of each label file, the names of those that do not exist, by label file, and notes.

    Raises LabelError for photos that may be several, and that have several label files.
    """
    label_files = [_find_names(file, finder, root) for file in voc_files]
    existing = [label_file for label_file in label_files if label_file.exists]
    photos, notes = _choose(existing)
    _check_one_file_per_photo(photos, existing)
    photo_of = {label_file.voc.file: photo for label_file, photo in zip(existing, photos, strict=True)}
    missing = {label_file.voc.file: label_file.name for label_file in label_files if not label_file.exists}
    photo_of |= {file: path_of_missing(name) for file, name in missing.items()}
    return [photo_of[file.file] for file in voc_files], missing, notes


def _find_names(file: VocFile, finder: PhotoFinder, root: Path) -> _LabelFile:
    """Look up both names. A name that fits several photos is an error if the other name fits none."""
    named, named_error = _try(lambda: finder.find_in_folders_of(file.filename, file.file))
    own, own_error = _try(lambda: finder.find_by_own_name(file.file))
    error = named_error or own_error
    if error and named is None and own is None:
        raise error
    return _LabelFile(root, file, named, own)


def _try(find: Callable[[], Match | None]) -> tuple[Match | None, LabelError | None]:
    try:
        return find(), None
    except LabelError as error:
        return None, error


# ---------------------------------------------------------------- <filename> or the label file's own name


def _choose(label_files: Sequence[_LabelFile]) -> tuple[list[str], tuple[str, ...]]:
    """The photo of each label file, and notes on all choices and inexact names."""
    matches = [label_file.by_filename or label_file.by_own_name for label_file in label_files]
    claims = Counter(match.file for match in matches if match)
    choices: dict[str, list[str]] = defaultdict(list)
    photos, inexact = [], []
    for label_file in label_files:
        match, heading = _decide(label_file, claims)
        photos.append(match.file)
        inexact.append((label_file.location, label_file.name, match))
        if heading:
            own = label_file.by_own_name
            rejected = own.file if heading == _NAMED and own else label_file.voc.filename
            choices[heading].append(f"{label_file.location}: {match.file}, not {rejected}")
    notes = [note for heading, lines in choices.items() for note in format_note(heading, lines)]
    return photos, (*notes, *note_on_inexact_names(inexact))


def _decide(label_file: _LabelFile, claims: Mapping[str, int]) -> tuple[Match, str]:
    """The photo of a label file, and the heading of the note on this choice, "" for none.

    claims: how many label files each photo has if all go by their <filename>
    """
    named, own = label_file.by_filename, label_file.by_own_name
    if named is None or own is None:
        only = named or own
        assert only is not None  # else it is missing
        is_stale = own is not None and label_file.voc.filename
        return only, _STALE if is_stale else ""
    if named.file == own.file:
        return (own if own.is_exact else named), ""
    if own.is_exact and not named.is_exact:
        return own, _OWN
    fits_named, fits_own = (_has_size(label_file, match.file) for match in (named, own))
    if fits_named != fits_own:
        return (named, _NAMED) if fits_named else (own, _OWN)
    if claims[named.file] > 1:
        return named, ""  # refused: the photo has several label files
    return own, _OWN


def _has_size(label_file: _LabelFile, photo: str) -> bool:
    """Whether a photo has the declared size. An unreadable photo, which is reported later, has not."""
    try:
        return photo_size(label_file.root / photo) == label_file.voc.declared_size
    except PhotoError:
        return False


def _check_one_file_per_photo(photos: Sequence[str], label_files: Sequence[_LabelFile]) -> None:
    locations: dict[str, list[str]] = defaultdict(list)
    for photo, label_file in zip(photos, label_files, strict=True):
        locations[photo].append(label_file.location)
    errors = [
        f"{photo}: {' and '.join(shared[:3])}" for photo, shared in locations.items() if len(shared) > 1
    ]
    if errors:
        remedy = "Correct their <filename>, or keep one label file per photo."
        raise LabelError(format_errors("Photos with several label files", errors, remedy))
