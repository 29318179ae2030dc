"""Archives to fuzz: their seeds, and archives with names, links and sizes as a list of entries says."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

from fuzzing.inputs import Files

ENTRIES = "entries.json"

_TYPES = {
    "link": tarfile.SYMTYPE,
    "hard link": tarfile.LNKTYPE,
    "device": tarfile.CHRTYPE,
    "pipe": tarfile.FIFOTYPE,
    "folder": tarfile.DIRTYPE,
    "sparse": tarfile.GNUTYPE_SPARSE,
}
_LINK = 0o120777 << 16


def archive_seeds(data_set: Files) -> list[Files]:
    """The data set in each kind of archive, and lists of entries from which archives are built."""
    entries = [{"name": name, "content": "x" * 20} for name in ("a.txt", "b/c.txt")]
    odd = [
        {"name": "../evil.txt", "content": "x"},
        {"name": "link", "kind": "link", "to": "/etc"},
        {"name": "link/evil.txt", "content": "x"},
        {"name": "a.txt", "content": "x", "size": 10**9},
    ]
    return [
        *({name: build(data_set)} for name, build in _BUILDERS.items()),
        *(
            {ENTRIES: json.dumps({"form": form, "entries": listed}).encode()}
            for form in ("zip", "tar")
            for listed in (entries, odd)
        ),
    ]


def zip_of(files: Files, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def tar_of(files: Files, mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


_BUILDERS: dict[str, Callable[[Files], bytes]] = {
    "a.zip": zip_of,
    "a.stored.zip": lambda files: zip_of(files, zipfile.ZIP_STORED),
    "a.tar": tar_of,
    "a.tar.gz": lambda files: tar_of(files, "w:gz"),
    "a.tar.bz2": lambda files: tar_of(files, "w:bz2"),
    "a.tar.xz": lambda files: tar_of(files, "w:xz"),
}


def build_archive(description: bytes) -> tuple[str, bytes] | None:
    """The name and the content of the archive that a description asks for; None if it is damaged itself."""
    try:
        document = json.loads(description)
        entries = [entry for entry in document["entries"] if isinstance(entry, dict)][:200]
        if document["form"] == "tar":
            return "a.tar", _described_tar(entries)
        return "a.zip", _described_zip(entries)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError, AttributeError):
        return None


def _described_zip(entries: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    sizes: list[tuple[int, int]] = []
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            info = zipfile.ZipInfo("x")
            info.filename = _name(entry)  # without the changes that ZipInfo makes
            if entry.get("kind") == "link":
                info.external_attr = _LINK
            content = _content(entry)
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
            if isinstance(size := entry.get("size"), int):
                sizes.append((len(content), size))
    built = buffer.getvalue()
    for found, announced in sizes:
        new = (announced % 2**32).to_bytes(4, "little")
        built = built.replace(found.to_bytes(4, "little"), new)
    return built


def _described_tar(entries: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for entry in entries:
            info = tarfile.TarInfo(_name(entry))
            content = _content(entry)
            info.type = _TYPES.get(str(entry.get("kind")), tarfile.REGTYPE)
            info.linkname = str(entry.get("to", ""))
            info.size = len(content)
            if isinstance(size := entry.get("size"), int) and 0 <= size < 2**60:
                info.size = size
                archive.addfile(info)
                buffer.write(content + bytes(-len(content) % 512))
            else:
                archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("name", "")).encode("utf-8", "replace").decode()[:3000]


def _content(entry: dict[str, Any]) -> bytes:
    return str(entry.get("content", "")).encode("utf-8", "replace")[:3000]
