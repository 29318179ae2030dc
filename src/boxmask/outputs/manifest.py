"""The manifest of a folder with results: which files boxmask wrote, and with what content.

The hidden file `.boxmask-outputs.jsonl` has one line per written file, with a digest of its content, and one
line per job, with the names of its files. A file is an unchanged output if the manifest holds its digest.
Lines are appended before a file appears under its name, so that the manifest knows every file of a job that
was interrupted.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from boxmask.atomic_write import atomic_write, output_error

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
MANIFEST = ".boxmask-outputs.jsonl"


class _Version(NamedTuple):
    """One version of a file: size in bytes, time of the last change in nanoseconds, digest of the content."""

    size: int
    time: int
    digest: str


class Manifest:
    """The manifest of one folder. Each line is read once, so that n files cost O(n)."""

    def __init__(self, folder: Path) -> None:
        self._file, self._lock = folder / MANIFEST, threading.RLock()
        self._reset()

    def _reset(self, inode: int = -1) -> None:
        self._versions: dict[str, set[_Version]] = defaultdict(set)
        self._files_of_jobs: set[str] = set()
        self._position, self._ends_in_part_of_line, self._inode = 0, False, inode

    def exists(self) -> bool:
        """Whether boxmask wrote any file into the folder."""
        return self._file.exists()

    def knows(self, name: str) -> bool:
        """Whether boxmask wrote a file of this name, with any content."""
        with self._lock:
            self._refresh()
            return _key(name) in self._versions

    def has(self, file: Path, *, trust_time: bool = False) -> bool:
        """Whether boxmask wrote a file of this name with the same content.

        trust_time: accept a file of the recorded size and modification time without reading it
        """
        with self._lock:
            self._refresh()
            versions = self._versions.get(_key(file.name), set())
        if not versions or not file.is_file():
            return False
        try:
            status = file.stat()
            same_size = [version for version in versions if version.size == status.st_size]
            if trust_time and any(version.time == status.st_mtime_ns for version in same_size):
                return True
            return bool(same_size) and _digest(file) in {version.digest for version in same_size}
        except OSError:  # a file that cannot be read may be the user's
            return False

    def files_of_jobs(self) -> set[str]:
        """The files of all jobs, as paths below the folder with "/"."""
        with self._lock:
            self._refresh()
            return set(self._files_of_jobs)

    def add(self, name: str, content: Path) -> None:
        """Record that the file `content` is about to get this name."""
        status = content.stat()
        version = _Version(status.st_size, status.st_mtime_ns, _digest(content))
        self._append({"file": name, **version._asdict()})

    def begin_job(self, files: Sequence[str]) -> None:
        """Forget earlier jobs and missing files, and record that a job is about to write `files`."""
        with self._lock:
            self._refresh()
            names = {_key(path.name) for path in self._file.parent.iterdir()}
            entries: list[dict[str, Any]] = [
                {"file": name, **version._asdict()}
                for name in sorted(self._versions.keys() & names)
                for version in sorted(self._versions[name])
            ]
            with atomic_write(self._file) as temporary:
                temporary.write_text("".join(map(_line, [*entries, {"job": list(files)}])), encoding="ascii")

    def add_to_job(self, files: Sequence[str]) -> None:
        """Record that the job is about to write `files` as well."""
        self._append({"job": list(files)})

    # ---------------------------------------------------------------- the file

    def _refresh(self) -> None:
        """Read the lines that were added since the last call."""
        try:
            status = self._file.stat()
            if status.st_ino != self._inode or status.st_size < self._position:
                self._reset(status.st_ino)
            if status.st_size <= self._position:
                return
            with self._file.open("rb") as file:
                file.seek(self._position)
                complete, newline, rest = file.read().rpartition(b"\n")
        except OSError:  # none yet, or it cannot be read
            self._reset()
            return
        self._position += len(complete) + len(newline)
        self._ends_in_part_of_line = bool(rest)  # for example after a full disk
        for line in complete.splitlines():
            self._add_line(line)

    def _add_line(self, line: bytes) -> None:
        """Add the content of one line. A damaged line is skipped; its file then counts as the user's."""
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return
        match entry:
            case {"job": [*names]}:
                self._files_of_jobs.update(name for name in names if isinstance(name, str))
            case {"file": str(name), "size": int(size), "time": int(time), "digest": str(digest)}:
                self._versions[_key(name)].add(_Version(size, time, digest))

    def _append(self, entry: dict[str, Any]) -> None:
        """Append one line in a single write, so that processes that write to one folder do not mix lines."""
        with self._lock:
            self._refresh()
            line = ("\n" * self._ends_in_part_of_line + _line(entry)).encode("ascii")
            try:
                descriptor = os.open(self._file, _APPEND, 0o666)
                try:
                    if os.write(descriptor, line) < len(line):
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                finally:
                    os.close(descriptor)
            except OSError as error:
                raise output_error(self._file, error) from error


def manifest_of(folder: Path) -> Manifest:
    """The manifest of a folder, which need not exist yet. Calls share it, so that its lines are read once."""
    return _manifest_at(folder.absolute())


@lru_cache(maxsize=256)
def _manifest_at(folder: Path) -> Manifest:
    return Manifest(folder)


def _key(name: str) -> str:
    """A name in one Unicode form: macOS may list a file in another form than it was written."""
    return unicodedata.normalize("NFC", name)


def _line(entry: dict[str, Any]) -> str:
    return json.dumps(entry) + "\n"


def _digest(file: Path) -> str:
    """A digest of the content."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
