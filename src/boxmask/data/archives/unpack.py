"""Unpack an archive safely: only files below its folder, and no more than the disk holds."""

from __future__ import annotations

import os
import zipfile
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath

from boxmask.atomic_write import atomic_write
from boxmask.cache_folder import ARCHIVES, origin_file
from boxmask.data.archives.entries import Entry, is_tar, read_entries
from boxmask.data.filled_folder import filled_folder, free_bytes
from boxmask.errors import LabelError, OutputError
from boxmask.file_kinds import is_file

SUFFIXES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")

MAX_RATIO = 200
"""An archive that grows more than this many times is no data set: photos hardly grow, text grows 20 times."""

MIN_LIMIT = 2**30
"""Up to this size in bytes, archives may grow more: small ones of label maps or text shrink well."""

OTHER_SUFFIXES = (".7z", ".rar", ".gz", ".bz2", ".xz", ".zst", ".lz4", ".lzma", ".z")
"""Of archives and compressed files that boxmask does not unpack."""

MAX_DEPTH = 100
"""Folders in one another. Data sets have a handful. Far deeper ones cannot be created or removed."""


def is_archive(path: Path) -> bool:
    """Whether a path is a .zip or .tar file, compressed or not."""
    return has_archive_suffix(path) and is_file(path) and (zipfile.is_zipfile(path) or is_tar(path))


def has_archive_suffix(path: Path) -> bool:
    """Whether a path is named as a .zip or .tar file."""
    return path.name.lower().endswith(SUFFIXES)


def is_other_archive(path: Path) -> bool:
    """Whether a path is named as an archive that boxmask does not unpack, such as a .7z file."""
    return path.name.lower().endswith(OTHER_SUFFIXES) and not has_archive_suffix(path)


def unpacked(path: Path) -> Path:
    """The folder that holds the content of an archive; any other path as it is.

    An archive is unpacked once, into the cache folder of the user. A changed archive is unpacked again.

    Raises LabelError for an archive that is damaged, has a password, names files outside its folder, grows
    beyond all measure, or is of a kind that boxmask does not unpack; and OutputError if the disk is full.
    """
    if is_other_archive(path) and is_file(path):
        raise LabelError.in_file(
            path,
            f"boxmask unpacks .zip and .tar archives, but no {path.suffix} files. Unpack this file, and give "
            "the folder.",
        )
    if not is_archive(path):
        if has_archive_suffix(path) and is_file(path):
            raise LabelError.in_file(path, "this file is damaged, or is no archive. Download it again.")
        return path
    state = path.stat()
    version = f"{path.resolve()}\n{state.st_size}\n{state.st_mtime_ns}"
    suffix = max((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), key=len)
    folder = filled_folder(ARCHIVES, path.name[: -len(suffix)], version, partial(_write_entries, path))
    _record_origin(path, folder)
    return folder


def _record_origin(path: Path, folder: Path) -> None:
    """Record which archive a folder was unpacked from, for messages."""
    origin = origin_file(folder)
    if not origin.exists():
        with suppress(OutputError), atomic_write(origin) as partial_file:  # messages then name the folder
            partial_file.write_bytes(os.fsencode(path.resolve()))


def _write_entries(path: Path, folder: Path) -> None:
    limit = _limit(path, folder)
    written = 0
    for entry in read_entries(path):
        target = _target(path, folder, entry)
        if entry.kind == "folder":
            target.mkdir(parents=True, exist_ok=True)
        elif entry.kind == "file" and not _is_of_macos(PurePosixPath(entry.name)):
            if written + entry.size > limit:
                raise _too_large(path, limit)
            written += _write(path, entry, target, limit - written)


def _limit(path: Path, folder: Path) -> int:
    """The bytes that an archive may grow to."""
    growth = max(MIN_LIMIT, MAX_RATIO * path.stat().st_size)
    return min(growth, free_bytes(folder))


def _is_of_macos(file: PurePosixPath) -> bool:
    """Whether a file holds what macOS knows of another one."""
    return "__MACOSX" in file.parts or file.name.startswith("._")


def _target(path: Path, folder: Path, entry: Entry) -> Path:
    """Where an entry is written. Raises LabelError for a place outside the folder."""
    parts = PurePosixPath(entry.name).parts
    if "\0" in entry.name:
        raise LabelError.in_file(
            path, "the archive is damaged (a name holds a zero byte). Download it again."
        )
    if len(parts) > MAX_DEPTH:
        raise LabelError.in_file(
            path,
            f'the archive holds "{entry.name:.200}", which lies in more than {MAX_DEPTH} folders. '
            "Unpack it by hand, and give the folder.",
        )
    if ".." in parts or PurePosixPath(entry.name).is_absolute() or os.path.splitdrive(entry.name)[0]:
        raise LabelError.in_file(
            path,
            f'the archive holds "{entry.name:.200}", a file outside its folder. '
            "If you trust it, unpack it by hand, and give the folder.",
        )
    return folder.joinpath(*parts)


def _write(path: Path, entry: Entry, target: Path, limit: int) -> int:
    """Write one file; returns its size. The announced size may be wrong, so that bytes are counted."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with target.open("wb") as file:
        for chunk in entry.chunks():
            written += len(chunk)
            if written > limit:
                raise _too_large(path, limit)
            file.write(chunk)
    return written


def _too_large(path: Path, limit: int) -> LabelError:
    return LabelError.in_file(
        path,
        f"unpacked, the archive takes more than {limit / 2**30:.1f} GB, which is more than "
        f"{MAX_RATIO} times its size or than the disk has free. Unpack it by hand, and give the folder.",
    )
