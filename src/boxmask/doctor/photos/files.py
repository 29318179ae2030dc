"""The photos of a data set, labeled or not."""

from __future__ import annotations

import posixpath
from pathlib import Path

from boxmask.data.formats.labels import Labels
from boxmask.data.formats.source import find_source


def photo_files(labels: Labels) -> list[str]:
    """The labeled photos that exist, and unlabeled ones in the same folders; no label maps."""
    labeled = {photo.file for photo in labels.photos if not photo.missing_name}
    folders = {posixpath.dirname(file) for file in labeled}
    read = {*labels.other_files, *_label_files(labels)} - labeled
    beside = (
        file
        for file in find_source(labels.root).photos
        if posixpath.dirname(file) in folders and file not in read
    )
    return sorted(labeled.union(beside))


def _label_files(labels: Labels) -> set[str]:
    """The files that name photos, relative to the root."""
    return {
        Path(photo.location.file).relative_to(labels.root).as_posix()
        for photo in labels.photos
        if Path(photo.location.file).is_relative_to(labels.root)
    }
