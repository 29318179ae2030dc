"""The entries of a .zip or .tar archive, in one form for both."""

from __future__ import annotations

import contextlib
import lzma
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

BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a compression that Python does not know
)
"""What Python raises for damaged archives."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an archive.

    name: as written, with "/"
    kind: "other" stands for links and devices
    size: in bytes, as announced
    open: opens the content of a file
    """

    name: str
    kind: Literal["file", "folder", "other"]
    size: int
    open: Callable[[], IO[bytes]]


@contextmanager
def open_archive(path: Path) -> Iterator[Iterator[Entry]]:
    """The entries of an archive, in its order. Raises LabelError for one that is damaged or encrypted."""
    try:
        with contextlib.ExitStack() as stack:
            if zipfile.is_zipfile(path):
                yield _zip_entries(stack.enter_context(zipfile.ZipFile(path)), path)
            else:
                yield _tar_entries(stack.enter_context(tarfile.open(path)))
    except BROKEN as error:
        raise LabelError(f"{path}: the archive is damaged ({error}). Download it again.") from error


def _zip_entries(archive: zipfile.ZipFile, path: Path) -> Iterator[Entry]:
    for info in archive.infolist():
        if info.flag_bits & _ENCRYPTED:
            raise LabelError(f"{path}: the archive has a password. Unpack it, and give the folder.")
        is_link = info.external_attr >> 28 == _LINK
        kind: Literal["file", "folder", "other"] = "folder" if info.is_dir() else "file"
        yield Entry(
            _zip_name(info),
            "other" if is_link else kind,
            info.file_size,
            partial(archive.open, info),
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


def _tar_entries(archive: tarfile.TarFile) -> Iterator[Entry]:
    for info in archive:
        kind: Literal["file", "folder", "other"] = (
            "file" if info.isreg() else "folder" if info.isdir() else "other"
        )
        yield Entry(info.name, kind, info.size, partial(_open_tar, archive, info))


def _open_tar(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(info)
    assert content is not None  # it is a file
    return content
