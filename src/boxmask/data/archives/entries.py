"""The entries of a .zip or .tar archive, in one form for both."""

from __future__ import annotations

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Literal

from boxmask.errors import LabelError

_UTF_8 = 0x800
"""The flag of a ZIP entry whose name is in UTF-8."""
_ENCRYPTED = 0x1
_LINK = 0xA
"""The type of a symbolic link in the upper bits of a ZIP entry's Unix mode."""

_CHUNK = 2**20

_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,  # a name that cannot be decoded, or a place before the start of the file
    OverflowError,
    MemoryError,  # a compression that announces a huge dictionary
    RecursionError,  # headers of tar that announce one another
    NotImplementedError,  # a compression that Python does not know
)
"""What Python raises for damaged archives, beside OSError without a number."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an archive.

    name:   as written, with "/"
    kind:   "other" stands for links and devices
    size:   in bytes, as announced
    chunks: reads the content of a file, part by part
    """

    name: str
    kind: Literal["file", "folder", "other"]
    size: int
    chunks: Callable[[], Iterator[bytes]]


def read_entries(path: Path) -> Iterator[Entry]:
    """The entries of an archive, in its order. Raises LabelError for one that is damaged or encrypted."""
    return _zip_entries(path) if zipfile.is_zipfile(path) else _tar_entries(path)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Raise LabelError for what Python raises for damaged archives."""
    try:
        yield
    except _DAMAGE as error:
        raise _damaged(path, error) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> LabelError:
    reason = str(error) or type(error).__name__
    return LabelError.in_file(path, f"the archive is damaged ({reason:.200}). Download it again.")


def _chunks(path: Path, open_entry: Callable[[], IO[bytes]]) -> Iterator[bytes]:
    with _reading(path), open_entry() as content:
        while chunk := content.read(_CHUNK):
            yield chunk


def _zip_entries(path: Path) -> Iterator[Entry]:
    with _reading(path), zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.flag_bits & _ENCRYPTED:
                raise LabelError.in_file(path, "the archive has a password. Unpack it, and give the folder.")
            is_link = info.external_attr >> 28 == _LINK
            kind: Literal["file", "folder", "other"] = "folder" if info.filename.endswith("/") else "file"
            yield Entry(
                _zip_name(info),
                "other" if is_link else kind,
                info.file_size,
                partial(_chunks, path, partial(archive.open, info)),
            )


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name of an entry. Without the flag of UTF-8, Python decodes UTF-8 as code page 437."""
    name = info.filename.replace("\\", "/")
    if info.flag_bits & _UTF_8:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _tar_entries(path: Path) -> Iterator[Entry]:
    with _reading(path), tarfile.open(path) as archive:
        for info in archive:
            kind: Literal["file", "folder", "other"] = (
                "file" if info.isreg() else "folder" if info.isdir() else "other"
            )
            yield Entry(info.name, kind, info.size, partial(_chunks, path, partial(_open_tar, archive, info)))


def _open_tar(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(info)
    assert content is not None  # it is a file
    return content


def is_tar(path: Path) -> bool:
    """Whether Python can read the beginning of a tar archive."""
    try:
        return tarfile.is_tarfile(path)
    except _DAMAGE:
        return False
