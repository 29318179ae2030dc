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
from boxmask.data.formats.voc_xml import VocFile
from boxmask.data.messages import format_errors, format_note
from boxmask.errors import LabelError, PhotoError
from boxmask.names import Match
from boxmask.photos.size import photo_size

_OWN = "label files whose <filename> is another photo; the photo with their own name is used"
_NAMED = (
    "label files whose own name is another photo; the photo in <filename> is used, because only it has the "
    "declared size"
)
_STALE = "label files whose <filename> does not exist; the photo with their own name is used"


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A label file with the photo in its <filename> and the photo of its own name, if they exist."""

    root: Path
    file: VocFile
    named: Match | None
    own: Match | None

    @property
    def name(self) -> str:
        """The name of the photo in its <filename>, else its own."""
        return self.file.filename or self.file.stem

    @property
    def exists(self) -> bool:
        """Whether one of the names is that of a photo."""
        return self.named is not None or self.own is not None

    @property
    def location(self) -> str:
        """The file and the line of its <filename>."""
        return f"{self.root / self.file.file}:{self.file.line}"


def find_voc_photos(
    voc_files: Sequence[VocFile], finder: PhotoFinder, root: Path
) -> tuple[list[str], dict[str, str], tuple[str, ...]]:
    """The photo of each label file, the names of those that do not exist, by label file, and notes.

    Raises LabelError for photos that may be several, and that have several label files.
    """
    sheets = [_find_names(file, finder, root) for file in voc_files]
    existing = [sheet for sheet in sheets if sheet.exists]
    photos, notes = _choose(existing)
    _check_one_file_per_photo(photos, existing)
    photo_of = {sheet.file.file: photo for sheet, photo in zip(existing, photos, strict=True)}
    missing = {sheet.file.file: sheet.name for sheet in sheets if not sheet.exists}
    photo_of |= {file: path_of_missing(name) for file, name in missing.items()}
    return [photo_of[file.file] for file in voc_files], missing, notes


def _find_names(file: VocFile, finder: PhotoFinder, root: Path) -> _Sheet:
    """Look up both names. A name that fits several photos is an error if the other name fits none."""
    named, named_error = _try(lambda: finder.find_for_sheet(file.filename, file.file))
    own, own_error = _try(lambda: finder.find_by_own_name(file.file))
    error = named_error or own_error
    if error and named is None and own is None:
        raise error
    return _Sheet(root, file, named, own)


def _try(find: Callable[[], Match | None]) -> tuple[Match | None, LabelError | None]:
    try:
        return find(), None
    except LabelError as error:
        return None, error


# ---------------------------------------------------------------- <filename> or the label file's own name


def _choose(sheets: Sequence[_Sheet]) -> tuple[list[str], tuple[str, ...]]:
    """The photo of each sheet, and notes on all choices and inexact names."""
    claims = Counter(match.file for sheet in sheets if (match := sheet.named or sheet.own))
    choices: dict[str, list[str]] = defaultdict(list)
    photos, inexact = [], []
    for sheet in sheets:
        match, heading = _decide(sheet, claims)
        photos.append(match.file)
        inexact.append((sheet.location, sheet.name, match))
        if heading:
            rejected = sheet.own.file if heading == _NAMED and sheet.own else sheet.file.filename
            choices[heading].append(f"{sheet.location}: {match.file}, not {rejected}")
    notes = [note for heading, lines in choices.items() for note in format_note(heading, lines)]
    return photos, (*notes, *note_on_inexact_names(inexact))


def _decide(sheet: _Sheet, claims: Mapping[str, int]) -> tuple[Match, str]:
    """The photo of a sheet, and the heading of the note on this choice, "" for none.

    claims: how many sheets each photo has if all go by their <filename>
    """
    named, own = sheet.named, sheet.own
    if named is None or own is None:
        only = named or own
        assert only is not None  # else it is missing
        is_stale = own is not None and sheet.file.filename
        return only, _STALE if is_stale else ""
    if named.file == own.file:
        return (own if not own.difference else named), ""
    if named.difference and not own.difference:
        return own, _OWN
    fits_named, fits_own = (_has_size(sheet, match.file) for match in (named, own))
    if fits_named != fits_own:
        return (named, _NAMED) if fits_named else (own, _OWN)
    if claims[named.file] > 1:
        return named, ""  # refused: the photo has several label files
    return own, _OWN


def _has_size(sheet: _Sheet, photo: str) -> bool:
    """Whether a photo has the declared size. An unreadable photo, which is reported later, has not."""
    try:
        return photo_size(sheet.root / photo) == sheet.file.declared_size
    except PhotoError:
        return False


def _check_one_file_per_photo(photos: Sequence[str], sheets: Sequence[_Sheet]) -> None:
    locations: dict[str, list[str]] = defaultdict(list)
    for photo, sheet in zip(photos, sheets, strict=True):
        locations[photo].append(sheet.location)
    errors = [
        f"{photo}: {' and '.join(shared[:3])}" for photo, shared in locations.items() if len(shared) > 1
    ]
    if errors:
        remedy = "Correct their <filename>, or keep one label file per photo."
        raise LabelError(format_errors("Photos with several label files", errors, remedy))
