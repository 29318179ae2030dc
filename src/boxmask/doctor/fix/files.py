"""Mended copies of class folders and label maps: the same files, photos under their mended names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from boxmask.data.formats.contract import Losses
from boxmask.data.formats.source import find_source
from boxmask.data.photo_files import PhotoMode, place_photo
from boxmask.doctor.fix.mending import Mending
from boxmask.progress import Progress


@dataclass(frozen=True)
class FileCopy:
    """Files to copy. No file changes its content, so that there is no diff."""

    mending: Mending

    def write(self, folder: Path, photos: PhotoMode, progress: Progress) -> Losses:
        """Copy all files of the data set into a folder; only photos may become links."""
        labels = self.mending.labels
        pairs = zip(labels.photos, self.mending.files, strict=True)
        names = {photo.file: name for photo, name in pairs if not photo.missing_name}
        files = find_source(labels.root).files
        for number, file in enumerate(files, start=1):
            mode: PhotoMode = photos if file in names else "copy"
            place_photo(labels.root / file, folder, names.get(file, file), mode)
            progress(number, len(files))
        return Losses()

    def remarks(self) -> Iterator[tuple[str, list[str]]]:
        """None: the files lie where they lay."""
        return iter(())

    def diff(self) -> Iterator[str]:
        """None."""
        return iter(())
