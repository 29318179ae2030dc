"""Find the folders and files that a data.yaml or a list names, without leaving the data set.

Paths are written in many ways: relative to the file, to the working directory of a training, to the data
set's parent, or absolute on another computer. They are only compared with the files of the source; nothing
else on the disk is looked at.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence

from boxmask.data.formats.source import Source
from boxmask.data.split_words import split_from_name
from boxmask.names import normal_path


class PathFinder:
    """Finds folders and files of a source by the paths that label files give."""

    def __init__(self, source: Source) -> None:
        self._files = {normal_path(file): file for file in source.files}
        self._folders = {normal_path(folder): folder for folder in _folders_of(source.files)}
        self._folders["."] = self._folders[""] = ""

    def find_folder(self, path: str, folders: Sequence[str]) -> str | None:
        """The folder that a path means, tried from each of `folders`; "" is the root."""
        return _find(self._folders, path, folders)

    def find_file(self, path: str, folders: Sequence[str]) -> str | None:
        """The file that a path means, tried from each of `folders`."""
        return _find(self._files, path, folders)


def _find(known: dict[str, str], path: str, folders: Sequence[str]) -> str | None:
    """The path as written, else without its first folders, of which as few as possible are left out.

    A folder called after a split is not left out, so that test/images does not become images.
    """
    normal = normal_path(path)
    absolute = normal.startswith("/") or normal[1:2] == ":"
    parts = [part for part in normal.split("/") if part]
    for start in range(len(parts)):
        if start and parts[start] in ("..", "."):
            continue
        if start and _names_split(parts) and not _names_split(parts[start:]):
            break
        rest = "/".join(parts[start:])
        for folder in folders:
            candidate = posixpath.normpath(posixpath.join(folder, rest))
            if not (absolute and start == 0) and candidate in known:
                return known[candidate]
    return known[""] if not parts and "" in known else None


def _names_split(parts: Sequence[str]) -> bool:
    return any(split_from_name(part) for part in parts)


def _folders_of(files: Iterable[str]) -> set[str]:
    """All folders that hold files, at any depth."""
    folders: set[str] = set()
    for folder in {posixpath.dirname(file) for file in files}:
        inner = folder
        while inner and inner not in folders:
            folders.add(inner)
            inner = posixpath.dirname(inner)
    return folders
