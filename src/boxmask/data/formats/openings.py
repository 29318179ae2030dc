"""Recognize label files by their beginning, in folders of any number of files."""

from __future__ import annotations

import re
from pathlib import Path

from boxmask.data.formats.source import Source
from boxmask.data.text import read_beginning
from boxmask.errors import LabelError

LIST_OF_OBJECTS = re.compile(r"\s*\[\s*\{")
"""The beginning of a JSON file that lists objects."""

XML_PROLOG = r"\s*(?>(?:<\?(?>.*?\?>)|<!--(?>.*?-->)|<!DOCTYPE[^>\[]*(?:\[(?>.*?\]))?\s*>)\s*)*"
"""What may come before the first element of an XML file, as a regular expression with re.DOTALL."""

_MANY, _SAMPLE = 2000, 200
"""Of more than `_MANY` files, a sample is read first. If all or none of it is in the format, that is taken to
hold for all files."""


def files_that_open_with(source: Source, suffix: str, opening: re.Pattern[str]) -> list[str]:
    """The candidates with this suffix whose first characters match a pattern."""
    files = source.candidates_with_suffix(suffix)
    if len(files) > _MANY:
        sample = files[:: len(files) // _SAMPLE]
        num_matches = sum(_opens_with(source.root / file, opening) for file in sample)
        if num_matches in (0, len(sample)):
            return files if num_matches else []
    return [file for file in files if _opens_with(source.root / file, opening)]


def _opens_with(path: Path, opening: re.Pattern[str]) -> bool:
    try:
        return opening.match(read_beginning(path, 2048)) is not None
    except LabelError:
        return False
