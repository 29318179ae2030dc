"""Where the photo lies that a label file means."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from pathlib import PurePosixPath

from boxmask.data.formats.source import Source, split_in_path
from boxmask.errors import LabelError

_PHOTO_FOLDERS = {"jpegimages", "images", "imgs", "photos"}


class PhotoFinder:
    """Finds photos of a source by the path, the name or the stem that a label gives."""

    def __init__(self, source: Source) -> None:
        self._files = frozenset(source.files)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for photo in source.photos:
            self._by_name[PurePosixPath(photo).name].append(photo)
            self._by_stem[PurePosixPath(photo).stem].append(photo)

    def named(self, name: str, label_file: str) -> str | None:
        """The photo of that name: at that path from the label file or the root, else in any folder.

        Raises LabelError where several photos could be meant.
        """
        name = name.replace("\\", "/")
        for folder in (posixpath.dirname(label_file), ""):
            path = posixpath.normpath(posixpath.join(folder, name))
            if path in self._files:
                return path
        candidates = self._by_name.get(posixpath.basename(name), [])
        with_folders = [photo for photo in candidates if f"/{photo}".endswith(f"/{name}")]
        return _nearest(with_folders or candidates, label_file)

    def with_stem(self, name: str, label_file: str) -> str | None:
        """The photo whose name, without its ending, is that of `name`. Raises LabelError as `named` does."""
        stem = PurePosixPath(name.replace("\\", "/")).stem
        return _nearest(self._by_stem.get(stem, []), label_file)


def _nearest(candidates: list[str], label_file: str) -> str | None:
    """The candidate whose folders have most in common with the label file's."""
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    ranked = sorted(candidates, key=lambda photo: _kinship(photo, label_file), reverse=True)
    if _kinship(ranked[0], label_file) == _kinship(ranked[1], label_file):
        advice = "Give them different names, or keep only one of them in this folder."
        raise LabelError(f"{label_file}: {ranked[0]} or {ranked[1]} could be its photo. {advice}")
    return ranked[0]


def _kinship(photo: str, label_file: str) -> tuple[bool, int, bool]:
    """The same split, then folder names in common, then a folder that is named as one for photos."""
    folders, others = PurePosixPath(photo).parts[:-1], PurePosixPath(label_file).parts[:-1]
    split = split_in_path(label_file)
    same_split = split is not None and split_in_path("/".join(folders)) == split
    is_for_photos = any(folder.lower() in _PHOTO_FOLDERS for folder in folders)
    return same_split, len(set(folders) & set(others)), is_for_photos
