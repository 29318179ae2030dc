"""Names of output files. No two are equal, and the file system accepts them all."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path

from boxmask.messages import format_note

MAX_NAME_BYTES = 255  # of most file systems
_RESERVED_BYTES = len(".json") + len("-1234567")  # for the longest suffix and a number
_CHARACTERS = '<>:"\\|?*' + "".join(map(chr, range(1, 32)))  # that Windows and its disks reject
_UNUSUAL = re.compile(f"[{re.escape(_CHARACTERS)}]|[. ]$")
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # of Windows
_UNUSUAL_NAMES = (*(f"a{character}b" for character in _CHARACTERS), "a.", "a ", "con")
_CAN_TRY_NAMES = os.name == "posix"  # on Windows, "con" opens the terminal and "a:b" a hidden stream


def picture_names(photos: Sequence[Path], folder: Path | None = None) -> list[str]:
    """A unique name, without suffix, per photo: the photo's own name, plus a number if that is taken.

    Names that the file system of `folder` does not accept are shortened, or have characters replaced. Names
    that differ only in case or Unicode form are numbered, too: some file systems treat them as equal.
    """
    stems = [writable_name(photo.stem, folder) for photo in photos]
    all_keys = {_key(stem) for stem in stems}
    numbers: dict[str, Iterator[int]] = defaultdict(lambda: count(2))
    seen: set[str] = set()
    names = []
    for stem in stems:
        key = _key(stem)
        numbered = (f"{stem}-{number}" for number in numbers[key])
        names.append(next(name for name in numbered if _key(name) not in all_keys) if key in seen else stem)
        seen.add(key)
    return names


def writable_name(stem: str, folder: Path | None = None) -> str:
    """The name itself, or a similar one if the file system of `folder` does not accept it."""
    existing = None if folder is None else _nearest_existing(folder)
    name, limit = stem, _max_bytes(existing) - _RESERVED_BYTES
    if _UNUSUAL.search(name) or _DEVICES.fullmatch(name):
        name = _with_accepted_characters(name, _rejected_names(existing))
    if name == stem and len(os.fsencode(stem)) <= limit:
        return stem
    ending = "-" + hashlib.blake2b(os.fsencode(stem), digest_size=4).hexdigest()
    return os.fsencode(name)[: limit - len(ending)].decode("utf-8", "ignore") + ending


def renaming_notes(photos: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """One note on the photos whose outputs have another name because the file system rejects their own."""
    names = ((photo, writable_name(photo.stem, folder)) for photo in photos)
    renamed = [f"{photo.name} -> {name}" for photo, name in names if name != photo.stem]
    return format_note("names that are too long or not allowed in the output folder were changed", renamed)


def _key(name: str) -> str:
    """The form in which names are compared."""
    return unicodedata.normalize("NFC", name).casefold()


@lru_cache(maxsize=16)
def _rejected_names(folder: Path | None) -> frozenset[str]:
    """The entries of _UNUSUAL_NAMES that the disk of the folder rejects; all of them on Windows."""
    if not _CAN_TRY_NAMES:
        return frozenset(_UNUSUAL_NAMES)
    if folder is None:
        return frozenset()
    try:
        with tempfile.TemporaryDirectory(prefix=".boxmask-", dir=folder) as scratch:
            return frozenset(name for name in _UNUSUAL_NAMES if not _can_create(Path(scratch) / name))
    except OSError:  # a folder that cannot be written is reported by the first write
        return frozenset()


def _can_create(file: Path) -> bool:
    try:
        file.touch()
    except OSError:
        return False
    return True


def _with_accepted_characters(name: str, rejected: frozenset[str]) -> str:
    """The name with "_" in place of rejected characters, and before the name of a device."""
    if "con" in rejected and _DEVICES.fullmatch(name):
        name = f"_{name}"
    name = "".join("_" if f"a{character}b" in rejected else character for character in name)
    return f"{name[:-1]}_" if f"a{name[-1:]}" in rejected else name


def _max_bytes(folder: Path | None) -> int:
    """The longest name that the file system accepts. Encrypted folders accept only shorter ones."""
    if folder is None or not hasattr(os, "pathconf"):
        return MAX_NAME_BYTES
    try:
        return min(MAX_NAME_BYTES, os.pathconf(folder, "PC_NAME_MAX"))
    except (OSError, ValueError):
        return MAX_NAME_BYTES


def _nearest_existing(folder: Path) -> Path:
    """The folder, or the nearest of its parents that exists."""
    folder = folder.absolute()
    return next(parent for parent in (folder, *folder.parents) if parent.exists())
