"""Write files atomically: whatever interrupts the write, a file is either complete or absent."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from boxmask.errors import DiskFullError, OutputError

_SUFFIX = ".partial"
_CAN_SYNC_FOLDERS = os.name == "posix"  # Windows cannot open a folder
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path, and move the file written there to `path` when the block ends.

    If the block raises, the temporary file is removed and `path` stays as it was. Missing parent folders are
    created. The file gets the default permissions of new files, which the umask sets.

    Raises DiskFullError if the disk is full, and OutputError for any other OSError.
    """
    try:
        new_folders = _make_folder(path.parent)
        with tempfile.TemporaryDirectory(_SUFFIX, prefix=".boxmask-", dir=path.parent) as folder:
            temporary = Path(folder) / path.name
            yield temporary
            _set_default_permissions(temporary)
            # The data must be on disk before the new name is: otherwise a power cut could leave an empty
            # file. Windows flushes only files that are open for writing, hence "r+b".
            with temporary.open("r+b") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        for parent in (path.parent, *(folder.parent for folder in new_folders)):
            _sync_folder(parent)
    except OutputError:  # of another file, written in the block
        raise
    except OSError as error:
        raise output_error(path, error) from error


def output_error(path: Path, error: OSError) -> OutputError:
    """The error for a file that cannot be written."""
    if error.errno in DISK_FULL:
        return DiskFullError(f"{path}: no space left on the disk. Free some space, or write elsewhere.")
    reasons = {
        errno.EACCES: "no permission to write here",
        errno.EPERM: "no permission to write here",
        errno.EROFS: "this disk is read-only",
        errno.ENOTDIR: "one of its parent folders is a file",
        errno.EEXIST: "one of its parent folders is a file",
        errno.EISDIR: "there is a folder of this name",
        errno.ENAMETOOLONG: "the name is too long for this disk",
    }
    reason = reasons.get(error.errno or 0, error.strerror or str(error))
    return OutputError(f"{path}: cannot be written ({reason}).")


def remove_partial_files(folder: Path) -> None:
    """Remove what killed calls of `atomic_write` left in `folder`. No other process may be writing to it."""
    for partial in folder.glob(f".*{_SUFFIX}"):
        if partial.is_dir():
            shutil.rmtree(partial)


def _make_folder(folder: Path) -> list[Path]:
    """Create a folder and its missing parents; returns those that were created."""
    new = [missing for missing in (folder, *folder.parents) if not missing.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return new


def _set_default_permissions(file: Path) -> None:
    """Give a file the default permissions: some libraries write files that only the user may read.

    They are those of a new, empty file, because reading the umask would change it for all threads.
    """
    new = file.with_name("new" if file.name != "new" else "newer")  # in a folder that holds `file` alone
    new.touch()
    mode = new.stat().st_mode
    if file.stat().st_mode != mode:
        file.chmod(mode)
    new.unlink()


def _sync_folder(folder: Path) -> None:
    """Put the new name of a file on disk, so that a power cut cannot bring the old file back.

    Without it, as on Windows, a power cut leaves either the new file or the old one, both complete.
    """
    if not _CAN_SYNC_FOLDERS:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot sync a folder either
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
