"""Find the photo that a label file names."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from pathlib import PurePosixPath

from boxmask.data.formats.source import Source, split_from_path
from boxmask.errors import LabelError

_PHOTO_FOLDERS = {"jpegimages", "images", "imgs", "photos"}


class PhotoFinder:
    """Finds photos of a source by their path, name or stem."""

    def __init__(self, source: Source) -> None:
        self._files = frozenset(source.files)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for photo in source.photos:
            self._by_name[PurePosixPath(photo).name].append(photo)
            self._by_stem[PurePosixPath(photo).stem].append(photo)

    def by_name(self, name: str, label_file: str) -> str | None:
        """The photo with this name or path.

        A path is tried from the folder of the label file and from the root. Else the name is looked up in all
        folders, and the photo nearest to the label file is taken. Raises LabelError if two are equally near.
        """
        name = name.replace("\\", "/")
        for folder in (posixpath.dirname(label_file), ""):
            path = posixpath.normpath(posixpath.join(folder, name))
            if path in self._files:
                return path
        candidates = self._by_name.get(posixpath.basename(name), [])
        with_folders = [photo for photo in candidates if f"/{photo}".endswith(f"/{name}")]
        return _nearest(with_folders or candidates, label_file)

    def by_stem(self, name: str, label_file: str) -> str | None:
        """The photo whose name without suffix is `name`. Raises LabelError as `by_name` does."""
        stem = PurePosixPath(name.replace("\\", "/")).stem
        return _nearest(self._by_stem.get(stem, []), label_file)


def _nearest(candidates: list[str], label_file: str) -> str | None:
    """The candidate whose folders have most in common with those of the label file."""
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    ranked = sorted(candidates, key=lambda photo: _similarity(photo, label_file), reverse=True)
    if _similarity(ranked[0], label_file) == _similarity(ranked[1], label_file):
        advice = "Give them different names, or keep only one of them in this folder."
        raise LabelError(f"{label_file}: its photo may be {ranked[0]} or {ranked[1]}. {advice}")
    return ranked[0]


def _similarity(photo: str, label_file: str) -> tuple[bool, int, bool]:
    """In order of weight: the same split, common folder names, a folder named as one for photos."""
    folders, label_folders = PurePosixPath(photo).parts[:-1], PurePosixPath(label_file).parts[:-1]
    split = split_from_path(label_file)
    same_split = split is not None and split_from_path("/".join(folders)) == split
    is_for_photos = any(folder.lower() in _PHOTO_FOLDERS for folder in folders)
    return same_split, len(set(folders) & set(label_folders)), is_for_photos
