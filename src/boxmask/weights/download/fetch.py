"""Download a file of weights once: checked, resumed if it was cut, and complete or absent.

A download is written to FILE.partial, which only the next download reads. It gets its name when its size and
its checksum are right. Without a checksum, nothing is resumed: nothing would tell whether both parts fit.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from boxmask.atomic_write import output_error
from boxmask.errors import OutputError, WeightsError
from boxmask.weights.download.connection import NotOnServerError, RemoteError, StoppedError
from boxmask.weights.download.receive import download_rest, partial_path
from boxmask.weights.download.remote_file import RemoteFile

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)  # some network file systems


def fetch(file: RemoteFile) -> Path:
    """The file on this machine, downloaded unless it is there.

    Raises WeightsError, with the address and the place for a copy, if it cannot be downloaded or has another
    checksum, and OutputError if it cannot be written.
    """
    path = file.path
    try:
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            with _lock(path):
                if not path.is_file():  # another process may have been faster
                    _download(file)
                    return path
        _check_copy(file)
    except OutputError:
        raise
    except OSError as error:
        raise output_error(path, error) from error
    return path


def _check_copy(file: RemoteFile) -> None:
    """Raise WeightsError if the file in the cache has another checksum than the known one."""
    if not file.sha256:
        return
    with file.path.open("rb") as copy:
        digest = hashlib.file_digest(copy, "sha256").hexdigest()
    if not digest.startswith(file.sha256):
        raise WeightsError(
            f"{file.path}: this is not the file of {file.name}, or it is damaged (its checksum is "
            f"{digest[: len(file.sha256)]} instead of {file.sha256}). Remove it, and fetch it again."
        )


def _download(file: RemoteFile) -> None:
    """Download a file into the cache. Raises WeightsError, NotOnServerError and OSError."""
    by_hand = f"download {file.address} in another way and save it as {file.path}"
    if file.blocked:
        raise WeightsError(f"{file.name} is not downloaded: {file.blocked}. Change this, or {by_hand}.")
    try:
        while not download_rest(file):
            pass  # what an earlier download left was of no use, and is removed now
    except StoppedError as error:
        begins = "continues from there" if partial_path(file).is_file() else "starts over"
        raise WeightsError(
            f"{file.name}: the download stopped ({error}). Run the same again: it {begins}."
        ) from error
    except RemoteError as error:
        raise WeightsError(
            f"{file.name} could not be downloaded: {error}. Try again, or {by_hand}."
        ) from error
    except NotOnServerError as error:
        raise NotOnServerError(
            f"{file.name} could not be downloaded: {error}: {file.address}. Update boxmask, or get the file "
            f"elsewhere and save it as {file.path}."
        ) from error


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Let one process at a time download a file, where the file system has locks."""
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire()
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            Path(lock.lock_file).unlink()
        lock.release()
