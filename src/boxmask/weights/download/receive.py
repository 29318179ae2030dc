"""Receive a file into FILE.partial, and give it its name when its size and checksum are right."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from boxmask.atomic_write import DISK_FULL
from boxmask.errors import DiskFullError, WeightsError
from boxmask.weights.download.connection import (
    WEB_PAGE,
    OpenFile,
    RangeError,
    RemoteError,
    StoppedError,
    open_file,
)
from boxmask.weights.download.progress import download_progress
from boxmask.weights.download.remote_file import RemoteFile

CHUNK = 2**20


def partial_path(file: RemoteFile) -> Path:
    """Where the beginning of a file lies until all of it is there."""
    return file.path.with_name(f"{file.file_name}.partial")


def download_rest(file: RemoteFile) -> bool:
    """Download what an earlier download left out; False if what it left was of no use, and is removed.

    Raises RemoteError and NotOnServerError as `open_file` does, StoppedError, WeightsError for a wrong
    checksum, and OSError.
    """
    partial = partial_path(file)
    left = partial.stat().st_size if partial.is_file() else 0
    try:
        with open_file(file.address, left) as source:
            sha256 = file.sha256 or source.sha256
            digest = ""
            if sha256 or not source.start:
                digest = _receive(source, partial, is_resumable=bool(sha256))
    except RangeError:
        if not left:
            raise
        partial.unlink()
        return False
    if digest and digest.startswith(sha256):
        partial.replace(file.path)
        return True
    partial.unlink()
    if source.start:  # both parts do not fit together, or nothing tells whether they do
        return False
    raise WeightsError(
        f"{file.name}: what came from {file.address} has the checksum {digest[: len(sha256)]} instead of "
        f"{sha256}. It was damaged on its way, or is another file. Nothing was kept. Try again, perhaps in "
        "another network."
    )


def _receive(source: OpenFile, partial: Path, *, is_resumable: bool) -> str:
    """Write the content to the partial file; returns the SHA-256 of the whole file.

    A resumable partial file stays if the connection is lost. Others are of no use and are removed, and so is
    any if the disk is full.
    """
    try:
        _check_space(source, partial)
        with partial.open("r+b" if source.start else "w+b") as file:
            digest = hashlib.file_digest(file, "sha256")  # of what is there; the file is now at its end
            _copy(source, file, digest.update)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if isinstance(error, DiskFullError) or error.errno in DISK_FULL:
            partial.unlink(missing_ok=True)
        raise
    except StoppedError:
        if not is_resumable or not partial.stat().st_size:
            partial.unlink()
        raise
    except RemoteError:
        partial.unlink()
        raise
    return digest.hexdigest()


def _check_space(source: OpenFile, partial: Path) -> None:
    """Raise DiskFullError if the rest of the file does not fit on the disk."""
    missing = (source.size or 0) - source.start
    free = shutil.disk_usage(partial.parent).free
    if missing > free:
        raise DiskFullError(
            f"{partial.parent}: no space left on the disk: {missing / 1e6:,.0f} MB are needed, and "
            f"{free / 1e6:,.0f} MB are free. Free some space, or set TORCH_HOME to a folder on another disk."
        )


def _copy(source: OpenFile, file: BinaryIO, add_to_digest: Callable[[bytes], None]) -> None:
    """Copy the content into the file and the digest. Raises StoppedError if it ends early."""
    done = source.start
    with download_progress(source.address, source.start, source.size) as advance:
        while chunk := source.read(CHUNK):
            if not done and _is_markup(chunk):
                raise RemoteError(WEB_PAGE)
            file.write(chunk)
            add_to_digest(chunk)
            done += len(chunk)
            advance(len(chunk))
    if source.size is not None and done < source.size:
        raise StoppedError(f"after {done / 1e6:,.1f} of {source.size / 1e6:,.1f} MB")


def _is_markup(beginning: bytes) -> bool:
    """Whether a file begins like a web page. Files of weights have zero bytes within their first hundred."""
    return beginning.lstrip().startswith(b"<") and b"\0" not in beginning[:100]
