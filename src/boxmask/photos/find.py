"""Find photo files by paths, folders and glob patterns."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from boxmask.errors import PhotoError
from boxmask.file_kinds import HEIC_SUFFIXES, PHOTO_SUFFIXES, is_file, is_folder, note_on_unused_files
from boxmask.outputs import is_output, note_on_outputs, split_outputs
from boxmask.photos.folders import visible_files
from boxmask.photos.formats import can_read_heic


def find_photos(inputs: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the photo files that the inputs name, in the order of the inputs, each once.

    An input is a photo, a folder (searched with its subfolders) or a glob pattern. Folders and patterns give
    the visible files that end in one of PHOTO_SUFFIXES, sorted, except the pictures that boxmask wrote; a
    photo named directly may end in anything.
    Raises PhotoError for an input that matches nothing.
    """
    photos: dict[Path, Path] = {}
    for given in [inputs] if isinstance(inputs, str | Path) else inputs:
        matches = _photos_of(Path(given))
        if not matches:
            raise PhotoError(f"{given}: {_why_nothing(Path(given))}")
        for photo in matches:
            photos.setdefault(photo.resolve(), photo)
    return list(photos.values())


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
