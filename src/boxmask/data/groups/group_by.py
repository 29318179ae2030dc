"""Groups of photos that belong together, by name, folder, capture time or likeness."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Int

from boxmask.data.groups.components import Components, number_in_order
from boxmask.data.groups.copies import Copies, find_copies
from boxmask.data.groups.evidence import (
    join_alike,
    join_bursts,
    join_named,
    join_sequences,
    numbers_of_keys,
)
from boxmask.data.groups.names import (
    folder_of_photo,
    keys_by_pattern,
    numbered_stem,
    photo_of_augmentation,
    picture_of_tile,
    video_of_frame,
)
from boxmask.data.photo_records.examine import examine_photos
from boxmask.data.photo_records.records import PhotoRecords
from boxmask.errors import UsageError
from boxmask.options import option
from boxmask.progress import Progress

AUTO, NAME, FOLDER, CAPTURE_TIME, LIKENESS = "auto", "name", "folder", "capture-time", "likeness"
BY_CONTENTS = (AUTO, CAPTURE_TIME, LIKENESS)  # these need the photos, the others their names only

_Join: TypeAlias = Callable[[Components, PhotoRecords], None]
_Evidence: TypeAlias = Sequence[tuple[str, _Join]]
"""Why photos belong together, in words, and what joins them; the most certain first."""

_NAMES: _Evidence = (
    ("augmented from one photo", lambda groups, records: join_named(groups, records, photo_of_augmentation)),
    ("frames of one video", lambda groups, records: join_named(groups, records, video_of_frame)),
    ("tiles of one picture", lambda groups, records: join_named(groups, records, picture_of_tile)),
    ("numbered photos that look alike", join_sequences),
)
_TIME: _Evidence = (("taken with one camera within seconds", join_bursts),)
_ALIKE: _Evidence = (("the same scene from the same place", join_alike),)


@dataclass(frozen=True)
class Groups:
    """A group for each of P photos.

    numbers: (P,) 0..G-1; photos with the same number belong together, and a photo alone has its own number
    reasons: (G) why its photos belong together, in words; "" for a photo alone
    """

    numbers: Int[np.ndarray, " P"]
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.reasons)

    def of(self, files: Sequence[str], chosen: Sequence[str]) -> Groups:
        """The groups of some of the photos, in their order.

        files: of all photos
        """
        number_of = dict(zip(files, self.numbers.tolist(), strict=True))
        numbers = np.array([number_of[file] for file in chosen], dtype=np.int64)
        _, first, counts = np.unique(numbers, return_index=True, return_counts=True)
        order = np.argsort(first)
        reasons = [
            self.reasons[numbers[photo]] if count > 1 else ""
            for photo, count in zip(first[order].tolist(), counts[order].tolist(), strict=True)
        ]
        return Groups(number_in_order(numbers), tuple(reasons))


def find_groups(
    root: Path,
    files: Sequence[str],
    group_by: str = AUTO,
    records: PhotoRecords | None = None,
    copies: Copies | None = None,
    progress: Progress | None = None,
) -> Groups:
    """The groups of photos.

    group_by: "auto", "folder", "capture-time", "likeness", "name" (a stem before a running number), or a
              regular expression. Photos for which it finds the same text in their path are a group: the text
              of its first group, or all that it matches if it has none.
    records:  of the same files; without them, the photos are examined if `group_by` needs it
    copies:   those of the records, if they are known
    progress: called while photos are examined

    Raises UsageError for another value, or a regular expression that fits no photo.
    """
    if group_by == NAME:
        return _by_keys([numbered_stem(file) for file in files], "the same name before a running number")
    if group_by == FOLDER:
        return _by_keys([folder_of_photo(file) for file in files], "the same folder")
    if group_by not in BY_CONTENTS:
        return _by_keys(keys_by_pattern(files, _pattern(group_by, files)), f"the same {group_by}")
    records = records if records is not None else examine_photos(root, files, progress)
    if group_by == CAPTURE_TIME:
        return _by_evidence(records, _TIME)
    copies = copies or find_copies(records)
    evidence: _Evidence = (
        ("the same bytes", lambda groups, _: groups.join_equal(copies.exact)),
        ("copies of one photo", lambda groups, _: groups.join_equal(copies.turned)),
    )
    if group_by == AUTO:
        evidence = (*evidence, *_NAMES, *_TIME)
    return _by_evidence(records, (*evidence, *_ALIKE))


def _by_keys(keys: Sequence[str | None], reason: str) -> Groups:
    components = Components(len(keys))
    components.join_equal(numbers_of_keys(keys))
    return _with_reason(components.numbers(), reason)


def _by_evidence(records: PhotoRecords, evidence: _Evidence) -> Groups:
    """Groups of the photos that any of the evidence joins.

    A group has the reason of each piece of evidence that joined photos that were still apart.
    """
    components = Components(len(records))
    joined: list[tuple[str, Int[np.ndarray, " M"]]] = []
    for reason, join in evidence:
        before = components.numbers()
        join(components, records)
        after = components.numbers()
        parts = np.bincount(after[np.unique(before, return_index=True)[1]])
        joined.append((reason, np.flatnonzero(parts[after] > 1)))
    numbers = components.numbers()
    reasons: list[list[str]] = [[] for _ in range(int(numbers.max(initial=-1)) + 1)]
    for reason, photos in joined:
        for group in np.unique(numbers[photos]).tolist():
            reasons[group].append(reason)
    return Groups(numbers, tuple(", ".join(words) for words in reasons))


def _with_reason(numbers: Int[np.ndarray, " P"], reason: str) -> Groups:
    return Groups(numbers, tuple(reason if count > 1 else "" for count in np.bincount(numbers).tolist()))


def _pattern(group_by: str, files: Sequence[str]) -> re.Pattern[str]:
    choices = ", ".join((AUTO, NAME, FOLDER, CAPTURE_TIME, LIKENESS))
    expected = f"expected {choices}, or a regular expression that finds the group in the path of a photo"
    try:
        pattern = re.compile(group_by)
    except re.error as error:
        raise UsageError(f"{option('group_by', group_by)}: {expected} ({error})") from error
    if not any(pattern.search(file) for file in files):
        example = f"; {files[0]} does not match" if files else ""
        raise UsageError(f"{option('group_by', group_by)}: {expected}{example}")
    return pattern
