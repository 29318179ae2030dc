"""Label files of a whole data set beside those of its splits: instances.json and instances_train.json."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.kinds import FILE_UNUSED
from boxmask.data.split_words import split_from_path


def without_overviews(
    root: Path, files: Sequence[str], photos_of: Callable[[str], Collection[str]], findings: Findings
) -> list[str]:
    """Leave out files that name no split, if all their photos are in files that name one.

    photos_of: the photos that a file names; only called if some of the files name a split, and others do not
    """
    in_splits = [file for file in files if split_from_path(file)]
    if len(in_splits) in (0, len(files)):
        return list(files)
    named = {photo for file in in_splits for photo in photos_of(file)}
    kept = []
    for file in files:
        if file in in_splits or not named.issuperset(photos_of(file)):
            kept.append(file)
        else:
            detail = "files with a split in their name list the same photos"
            findings.add(Finding(FILE_UNUSED, Location(str(root / file)), detail))
    return kept
