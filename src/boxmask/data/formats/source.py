"""The files of a data set: a folder with everything below it, or a label file with the files around it."""

from __future__ import annotations

import os
import posixpath
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from boxmask.data.archives import has_archive_suffix, is_archive, is_other_archive, unpacked
from boxmask.data.split_file import is_split_file
from boxmask.data.split_words import split_from_name
from boxmask.errors import LabelError
from boxmask.file_kinds import PHOTO_SUFFIXES, is_file, is_folder, is_incidental, note_on_unused_files
from boxmask.messages import format_note
from boxmask.outputs import is_output, note_on_outputs, split_outputs
from boxmask.outputs.run_folders import note_on_run_folders, split_run_folders
from boxmask.photos.folders import visible_files


@dataclass(frozen=True)
class Source:
    """The files of a data set, as paths relative to `root` with "/" on every platform.

    files:      all files below `root`, sorted, except those that boxmask wrote as results
    candidates: the files that may hold labels: all of them, or those that the user chose
    notes:      on results of boxmask, and on folders of its trainings, which are left out
    """

    root: Path
    files: tuple[str, ...]
    candidates: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def candidates_with_suffix(self, suffix: str) -> list[str]:
        """The candidates with this suffix, in upper or lower case."""
        return [file for file in self.candidates if file.lower().endswith(suffix)]

    @cached_property
    def photos(self) -> tuple[str, ...]:
        """The files with a photo's suffix."""
        return tuple(file for file in self.files if file.lower().endswith(PHOTO_SUFFIXES))

    def describe_contents(self) -> str:
        """The number of files per suffix, in words, for messages: "3 .jpg, 1 .json"."""
        suffixes = Counter(PurePosixPath(file).suffix.lower() or "without an ending" for file in self.files)
        shown = [f"{count} {suffix}" for suffix, count in suffixes.most_common(6)]
        return ", ".join(shown) or "nothing"


def notes_on_unread_files(source: Source, used: Iterable[str]) -> tuple[str, ...]:
    """An account of the files in a folder that a reader does not use: photos by folder, others by suffix.

    used: photos, label files, and files that other notes name

    Photos beside used ones are passed over; see `read_labels`. No notes if the user chose a
    label file or a folder of labels.
    """
    if source.candidates != source.files:
        return ()
    accounted = set(used)
    folders = {posixpath.dirname(file) for file in accounted if _has_photo_suffix(file)}
    others = [file for file in source.files if file not in accounted]
    photos = Counter(posixpath.dirname(file) for file in others if _has_photo_suffix(file))
    lines = [
        f"{count:,} in {folder or '.'}/" for folder, count in sorted(photos.items()) if folder not in folders
    ]
    rest = [file for file in others if not (_has_photo_suffix(file) or is_split_file(source.root / file))]
    return (
        *format_note("not used: images in folders without labeled photos", lines),
        *note_on_unused_files(rest),
    )


def find_source(path: Path) -> Source:
    """List the files of a folder, of an archive, or those around a label file.

    If a folder for labels holds no photos, as `annotations/` beside `images/`, the folder above it is listed,
    and only the files in the folder for labels are read as labels. The same holds for `labels/train`.
    Raises LabelError if there is no such file or folder, for a file that boxmask wrote as a result, and for
    a folder of nothing but archives. Raises as `unpacked` does.
    """
    given, path = path, unpacked(path)
    if not (is_file(path) or is_folder(path)):
        raise LabelError.in_file(path, "no such file or folder. Check the spelling.")
    if path.is_file() and is_output(path):
        raise LabelError.in_file(
            path, "boxmask wrote this file as a result, so it holds no labels. Give the labels."
        )
    folder = path if path.is_dir() else path.parent
    _check_holds_no_archives(folder, given)
    above = _folder_above_labels(folder) if path == given else None  # not of what lies beside an archive
    if above is not None and not any(_is_photo(file) for file in visible_files(folder)):
        return _source(path.absolute(), above)
    return _source(path, folder)


def _check_holds_no_archives(folder: Path, given: Path) -> None:
    """Raise LabelError for a folder, or an archive, that holds nothing but archives.

    given: by the user: the folder, a label file in it, or the archive that was unpacked into it
    """
    files = [file for file in visible_files(folder) if not is_incidental(file.name)]
    if not files or not all(has_archive_suffix(file) or is_other_archive(file) for file in files):
        return
    names = ", ".join(file.name for file in files[:3]) + (", ..." if len(files) > 3 else "")
    if is_archive(given):
        raise LabelError.in_file(
            given,
            f"this archive holds other archives and nothing else ({names}). Unpack it, and give one of them.",
        )
    if len(files) == 1:
        raise LabelError.in_file(
            folder, f"this folder holds an archive and nothing else. Give the archive: {files[0]}"
        )
    raise LabelError.in_file(
        folder,
        f"this folder holds {len(files)} archives and nothing else ({names}). Give one of them. If "
        "they belong together, unpack them into one folder, and give that.",
    )


def _source(path: Path, root: Path) -> Source:
    files, runs = split_run_folders(visible_files(root))
    files, outputs = split_outputs(files)
    relative = _relative(files, root)
    notes = note_on_outputs(outputs) + note_on_run_folders(runs)
    if path == root:
        return Source(root, relative, relative, notes)
    candidates = split_outputs(split_run_folders(visible_files(path))[0])[0] if path.is_dir() else [path]
    return Source(root, relative, _relative(candidates, root), notes)


def _relative(files: list[Path], root: Path) -> tuple[str, ...]:
    """Paths relative to the root, sorted alike on every platform."""
    prefix = len(os.path.join(root, "")) if root.parts else 0  # noqa: PTH118 (Path.relative_to is slow)
    return tuple(sorted(str(file)[prefix:].replace(os.sep, "/") for file in files))


def _has_photo_suffix(file: str) -> bool:
    return file.lower().endswith(PHOTO_SUFFIXES)


def _is_photo(file: Path) -> bool:
    return file.suffix.lower() in PHOTO_SUFFIXES


def _folder_above_labels(folder: Path) -> Path | None:
    """The folder that may hold the photos of a folder for labels: `set` for `set/labels`, `set/labels/train`.

    None if the folder is not named as one for labels. The home folder is never searched for photos.
    """
    folder = folder.absolute()
    if not _is_label_folder(folder) and split_from_name(folder.name):
        folder = folder.parent
    if not _is_label_folder(folder) or folder.parent in (_home(), Path(folder.anchor)):
        return None
    return folder.parent


def _home() -> Path:
    return Path(os.path.expanduser("~"))  # noqa: PTH111 (Path.home raises if there is none)


def _is_label_folder(folder: Path) -> bool:
    return re.search("annot|label|json|xml", folder.name.lower()) is not None
