"""Refuse to write outside a folder, while fuzzing what unpacks or converts files of strangers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHANGES = {"os.mkdir": 0, "os.link": 1, "os.symlink": 1, "os.remove": 0, "os.rmdir": 0, "os.truncate": 0}
"""Audit events that change files, and which argument is the path."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class _Guard:
    """An audit hook, which Python cannot remove: it only acts while there is a folder."""

    folder: str | None = None
    is_installed = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.folder is None:
            return
        paths: list[object] = []
        if event in ("os.remove", "os.rmdir") and arguments[1] != -1:
            return  # relative to an open folder, which was found without following links
        if event in _CHANGES:
            paths = [arguments[_CHANGES[event]]]
        elif event == "os.rename":
            paths = list(arguments[:2])
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            paths = [arguments[0]]
        for path in paths:
            if isinstance(path, str | bytes | os.PathLike) and not self._is_inside(os.fsdecode(path)):
                raise AssertionError(f"{event} outside of {self.folder}: {path!r}")

    def _is_inside(self, path: str) -> bool:
        file = Path(path)
        resolved = file.parent.resolve() / file.name  # the file itself may be a link that is replaced
        return resolved.is_relative_to(str(self.folder))


_guard = _Guard()


@contextmanager
def no_writing_outside(folder: Path) -> Iterator[None]:
    """Raise AssertionError instead of writing, moving or removing a file that lies outside of a folder."""
    if not _guard.is_installed:
        sys.addaudithook(_guard)
        _guard.is_installed = True
    _guard.folder = str(folder.resolve())
    try:
        yield
    finally:
        _guard.folder = None
