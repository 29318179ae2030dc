"""Where boxmask keeps files that it can make again: proposals and unpacked archives."""

from __future__ import annotations

import os
import re
from pathlib import Path

ARCHIVES = "archives"
"""The folder in the cache that holds unpacked archives."""


def cache_folder() -> Path:
    """The folder in `BOXMASK_CACHE`, or the system's cache folder."""
    from platformdirs import user_cache_path

    given = os.environ.get("BOXMASK_CACHE")
    return Path(given) if given else user_cache_path("boxmask", appauthor=False)


def origin_file(folder: Path) -> Path:
    """The file beside an unpacked archive that holds the path of the archive."""
    return folder.with_name(f"{folder.name}.origin")


def with_archive_names(text: str) -> str:
    """Text in which files of an unpacked archive are named as its members: "photos.zip/images/1.jpg".

    The path of the archive is relative if it lies in the working directory. Other text stays as it is.
    """
    try:
        archives = os.path.join(cache_folder(), ARCHIVES, "")  # noqa: PTH118 (it ends with a separator)
    except ModuleNotFoundError:  # boxmask-runtime comes without platformdirs, and unpacks no archives
        return text
    if archives not in text:
        return text
    return re.sub(re.escape(archives) + r"[^/\\\n]+-[0-9a-f]{12}", _name_of_archive, text)


def _name_of_archive(match: re.Match[str]) -> str:
    """The path of the archive, or that of the folder if the archive is not known."""
    try:
        archive = Path(os.fsdecode(origin_file(Path(match[0])).read_bytes()))
        return str(archive.relative_to(Path.cwd()) if archive.is_relative_to(Path.cwd()) else archive)
    except (OSError, ValueError):
        return match[0]
