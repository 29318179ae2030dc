"""Suggest files for a name that none of them has."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable

from boxmask.names import decoded_path, normal_path, without_suffix

_MAX_SUGGESTIONS = 2


def did_you_mean(name: str, files: Iterable[str]) -> str:
    """The files with the most similar names, as in " (did you mean a.jpg?)"; "" if none is similar.

    Names that contain the other one come first: "copy of a.jpg" and "a_old.jpg" for "a.jpg". Folders, case
    and known suffixes do not count.
    """
    wanted = _comparable(decoded_path(name))
    files_of: dict[str, list[str]] = defaultdict(list)
    for file in files:
        files_of[_comparable(normal_path(file))].append(file)
    close = sorted((key for key in files_of if _is_contained(key, wanted)), key=len)
    if not close:
        close = difflib.get_close_matches(wanted, files_of, n=_MAX_SUGGESTIONS, cutoff=0.75)
    similar = [file for key in close for file in files_of[key]][:_MAX_SUGGESTIONS]
    return f" (did you mean {' or '.join(similar)}?)" if similar else ""


def _comparable(path: str) -> str:
    """The name alone, without case and known suffix."""
    return without_suffix(posixpath.basename(path)).casefold()


def _is_contained(name: str, other: str) -> bool:
    """Whether one name contains the other as whole words and numbers: "a_old" contains "a", "ab" does not."""
    part, longer = sorted((name, other), key=len)
    return part in longer and bool(re.search(rf"(?<![^\W_]){re.escape(part)}(?![^\W_])", longer))
