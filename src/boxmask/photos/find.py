"""Find photo files by paths, folders and glob patterns."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from boxmask.errors import PhotoError
from boxmask.file_kinds import HEIC_SUFFIXES, PHOTO_SUFFIXES, is_file, is_folder, note_on_unused_files
from boxmask.messages import format_note
from boxmask.outputs import is_output, note_on_outputs, split_outputs
from boxmask.photos.folders import visible_files
from boxmask.photos.formats import can_read_heic


@dataclass(frozen=True)
class FoundPhotos:
    """The photos that the inputs name, each once.

    photos:   in the order of the inputs
    repeated: each further name of a photo, and its first name; equal if the same path is given twice
    """

    photos: list[Path]
    repeated: dict[Path, Path]

    def notes(self) -> tuple[str, ...]:
        """A note on the repeated photos; no note if there are none."""
        lines = [
            f"{file} is given twice" if file == first else f"{file} is the same file as {first}"
            for file, first in self.repeated.items()
        ]
        return format_note("photos that are named more than once are used once", lines)


def find_photos(inputs: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the photo files that the inputs name, in the order of the inputs, each once.

    An input is a photo, a folder (searched with its subfolders) or a glob pattern. Folders and patterns give
    the visible files that end in one of PHOTO_SUFFIXES, sorted, except the pictures that boxmask wrote; a
    photo named directly may end in anything.
    Raises PhotoError for an input that matches nothing.
    """
    return search_photos(inputs).photos


def search_photos(inputs: str | Path | Sequence[str | Path]) -> FoundPhotos:
    """The same as `find_photos`, with the further names of the photos."""
    photos: dict[object, Path] = {}
    repeated: dict[Path, Path] = {}
    for given in [inputs] if isinstance(inputs, str | Path) else inputs:
        matches = _photos_of(Path(given))
        if not matches:
            raise PhotoError(f"{given}: {_why_nothing(Path(given))}")
        for photo in matches:
            identity = _identity(photo)
            if identity in photos:
                repeated[photo] = photos[identity]
            photos.setdefault(identity, photo)
    return FoundPhotos(list(photos.values()), repeated)


def _identity(photo: Path) -> object:
    """What is equal for two names of one file: its disk and number there, or the path behind all links."""
    try:
        status = photo.stat()
    except OSError:  # reading it reports the error
        return photo.resolve()
    return (status.st_dev, status.st_ino) if status.st_ino else photo.resolve()


def find_skipped_files(inputs: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the files in the same folders and patterns that `find_photos` passes over, sorted."""
    given = [inputs] if isinstance(inputs, str | Path) else inputs
    files = {file for path in given for file in _files_of(Path(path))}
    return sorted(file for file in files if not _is_photo(file) or is_output(file))


def notes_on_skipped_files(inputs: str | Path | Sequence[str | Path]) -> tuple[str, ...]:
    """Notes that count the files that `find_photos` passes over, and those among them that boxmask wrote."""
    others, outputs = split_outputs(find_skipped_files(inputs))
    return note_on_unused_files(map(str, others)) + note_on_outputs(outputs)


def _photos_of(given: Path) -> list[Path]:
    if is_file(given):
        return [given]
    return [file for file in _files_of(given) if _is_photo(file) and not is_output(file)]


def _files_of(given: Path) -> list[Path]:
    """The files in a folder or of a pattern, sorted; none for a file."""
    if is_folder(given):
        return visible_files(given)
    if is_file(given):
        return []
    pattern = str(given)  # may be absolute, which Path.glob does not accept
    matches = [Path(match) for match in glob.glob(pattern, recursive=True)]  # noqa: PTH207
    in_folders = [file for match in matches if match.is_dir() for file in visible_files(match)]
    return sorted({*in_folders, *(match for match in matches if not match.is_dir())})


def _is_photo(file: Path) -> bool:
    suffix = file.suffix.lower()
    return suffix in PHOTO_SUFFIXES and (suffix not in HEIC_SUFFIXES or can_read_heic())


def _why_nothing(given: Path) -> str:
    notes = notes_on_skipped_files(given)
    found = f" {'; '.join(notes)}.".replace("not used", "Not used", 1) if notes else ""
    if is_folder(given):
        return f"this folder contains no photos (files ending in {', '.join(PHOTO_SUFFIXES)}).{found}"
    if glob.has_magic(str(given)):
        return f"this pattern matches no photos (files ending in {', '.join(PHOTO_SUFFIXES)}).{found}"
    return "no such photo or folder. Check the path."
