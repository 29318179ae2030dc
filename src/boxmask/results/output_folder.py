"""Prepare the folder that results are written into. Photos and files of the user are never replaced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.errors import UsageError
from boxmask.outputs import begin_job, check_replaceable
from boxmask.results.file_names import renaming_notes


def check_not_overwriting(files: Sequence[Path], photos: Sequence[Path]) -> None:
    """Raise UsageError if a file would overwrite one of the photos, or a file that boxmask did not write."""
    originals = {photo.resolve() for photo in photos}
    for file in files:
        if file.resolve() in originals:
            raise UsageError(f"{file}: would overwrite the photo itself. Choose another folder.")
    check_replaceable(files)


def prepare_folder(
    folder: Path, files: Sequence[Path], photos: Sequence[Path], complete: Sequence[Path] = ()
) -> tuple[str, ...]:
    """Prepare a folder for a job that reads `photos` and writes `files`, as `begin_job` does; returns notes.

    complete: files that an interrupted job has written and this one keeps

    Raises UsageError as `check_not_overwriting` does, and for a folder that is a file, before anything is
    removed or written.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: expected a folder for the results, found a file. Choose another.")
    check_not_overwriting(files, photos)
    return renaming_notes(photos, folder) + begin_job(folder, files, photos, complete)
