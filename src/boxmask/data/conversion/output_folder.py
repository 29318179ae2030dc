"""A folder that is written completely or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from boxmask.atomic_write import output_error
from boxmask.errors import OutputError, UsageError

RECORD = ".boxmask-conversion.json"
"""A hidden file with a digest of the names, sizes and times of all files, which tells of later changes."""


def check_output_folder(folder: Path, data: Path) -> None:
    """Raise UsageError if a folder may not be written: it lies in the data set, or holds other files.

    A folder that boxmask wrote as a conversion, and that was not changed since, may be replaced.
    """
    inside = _contains(data, folder)
    if inside or _contains(folder, data):
        place = "inside the data set" if inside else "around the data set"
        raise UsageError(f"{folder}: this folder lies {place} that is read ({data}). Choose another folder.")
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is a file of this name. Choose another folder.")
    if any(folder.iterdir()) and not _is_unchanged(folder):
        raise UsageError(
            f"{folder}: this folder is not empty, and is no conversion as boxmask wrote it. Choose another "
            "folder, or move its files away."
        )


def _contains(folder: Path, path: Path) -> bool:
    """Whether a folder, or that of a file, is a path or one of the folders above it."""
    resolved = (folder if folder.is_dir() or not folder.exists() else folder.parent).resolve()
    return resolved == path.resolve() or resolved in path.resolve().parents


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder, which gets the name `folder` when the block ends, in place of an older one.

    If the block raises, nothing is left. Raises OutputError for any OSError.
    """
    parents = [parent for parent in folder.absolute().parents if not parent.exists()]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(".partial", prefix=".boxmask-", dir=folder.parent) as temporary:
            new = Path(temporary) / "new"
            new.mkdir()  # with the default permissions, which the temporary folder does not have
            yield new
            record_folder(new)
            _replace(folder, new, Path(temporary) / "old")
            parents.clear()
    except OutputError:
        raise
    except OSError as error:
        raise output_error(Path(error.filename or folder), error) from error
    finally:
        for parent in parents:  # those that were created above, the innermost first
            with suppress(OSError):
                parent.rmdir()


def record_folder(folder: Path) -> None:
    """Record that boxmask wrote the files of a folder as they are."""
    (folder / RECORD).write_text(json.dumps({"digest": _digest(folder)}) + "\n", encoding="ascii")


def _replace(folder: Path, new: Path, old: Path) -> None:
    """Give `new` the name `folder`. What was there before moves to `old`, and back on failure."""
    was_there = folder.is_dir()
    if was_there:
        folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        if was_there:
            old.rename(folder)
        raise


def _is_unchanged(folder: Path) -> bool:
    """Whether boxmask wrote this folder as a conversion, and no file was added, changed or removed since."""
    try:
        record = json.loads((folder / RECORD).read_bytes())
        return isinstance(record, dict) and record.get("digest") == _digest(folder)
    except (OSError, ValueError, RecursionError):
        return False


def _digest(folder: Path) -> str:
    """A digest of the names, sizes and times of all files in a folder, links not followed."""
    lines = []
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names if name != RECORD):
            status = path.lstat()
            lines.append(f"{path.relative_to(folder).as_posix()}\0{status.st_size}\0{status.st_mtime_ns}")
    content = "\n".join(sorted(lines)).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(content, digest_size=16).hexdigest()
