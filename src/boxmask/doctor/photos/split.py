"""Draw a split that keeps groups of photos together, for `--write-split`."""

from __future__ import annotations

from pathlib import Path

from boxmask.data.checks.contract import Examination
from boxmask.data.photo_records.records import PhotoRecords


def write_grouped_split(
    records: PhotoRecords,
    path: Path,
    group_by: str = "auto",
    seed: int = 0,
    examination: Examination | None = None,
) -> tuple[str, ...]:
    """Draw a new split of all photos, in which no group is on two sides, and write it as a split file.

    examination: labels, so that every class stays in the training photos

    Returns notes on the numbers of photos and groups. Raises UsageError as `find_groups` does.
    """
    raise NotImplementedError
