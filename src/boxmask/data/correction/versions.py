"""Write label files as new versions. The old ones are kept beside them, under hidden names with numbers.

Hidden files are no labels for boxmask and other programs, and do not count as files that are not used.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from boxmask.atomic_write import atomic_write, output_error


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """An old version of a label file.

    number: 1 for the oldest
    time:   in seconds since 1970, when it was replaced
    """

    number: int
    path: Path
    time: float


def kept_versions(file: Path) -> list[KeptVersion]:
    """The old versions of a label file, the newest first."""
    pattern = re.compile(rf"\.{re.escape(file.name)}\.old-(\d+)")
    if not file.parent.is_dir():
        return []
    found = []
    for entry in os.scandir(file.parent):
        if (match := pattern.fullmatch(entry.name)) and entry.is_file():
            found.append(KeptVersion(int(match[1]), Path(entry.path), entry.stat().st_mtime))
    return sorted(found, key=lambda version: -version.number)


def write_version(file: Path, content: bytes, old: bytes | None) -> KeptVersion | None:
    """Replace a label file, or make a new one, atomically. Its old content is kept under the next number.

    old: the content to keep; None for a new file, of which there is nothing to keep

    Raises OutputError if one of the two cannot be written; the label file is then as it was.
    """
    kept = None if old is None else _keep(file, old)
    try:
        with atomic_write(file) as temporary:
            temporary.write_bytes(content)
    except BaseException:
        if kept is not None:
            kept.path.unlink(missing_ok=True)
        raise
    return kept


def _keep(file: Path, content: bytes) -> KeptVersion:
    """Write the old content under a number that is free; another program may take one at the same time."""
    number = max((version.number for version in kept_versions(file)), default=0)
    while True:
        number += 1
        path = file.with_name(f".{file.name}.old-{number}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as kept:
                kept.write(content)
                kept.flush()
                os.fsync(kept.fileno())
        except FileExistsError:
            continue
        except OSError as error:
            path.unlink(missing_ok=True)
            raise output_error(path, error) from error
        return KeptVersion(number, path, path.stat().st_mtime)
