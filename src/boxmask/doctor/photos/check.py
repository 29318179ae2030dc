"""Findings about photos, from their records."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxmask.data.checks.examination import Examination
from boxmask.data.findings import Findings
from boxmask.data.groups.copies import Copies, find_copies
from boxmask.data.groups.group_by import AUTO, find_groups
from boxmask.data.photo_records.records import PhotoRecords
from boxmask.doctor.photos.copies import check_copies
from boxmask.doctor.photos.copy_labels import check_copy_labels
from boxmask.doctor.photos.groups import check_groups
from boxmask.doctor.photos.quality import check_exposure_and_focus, check_photo_files, check_photo_sizes
from boxmask.doctor.photos.split import check_drawn_split


def check_photo_records(
    records: PhotoRecords,
    splits: NDArray[np.str_],
    findings: Findings,
    examination: Examination | None = None,
    group_by: str = AUTO,
) -> Copies:
    """Add what is wrong, or may be, with photos: quality, copies, and groups on two sides of a split.

    splits:      (P,) "train", "val", "test" or "" by photo of `records`
    examination: labels, for copies that are labeled differently; its photos are found by their names
    group_by:    see `find_groups`

    Returns the copies. Raises UsageError for another value of `group_by`.
    """
    check_photo_files(records, findings)
    check_photo_sizes(records, findings)
    check_exposure_and_focus(records, findings)
    copies = find_copies(records)
    check_copies(records, copies, splits, findings)
    groups = find_groups(records.root, records.files, group_by, records, copies)
    check_groups(records, groups, copies, splits, findings)
    if examination is not None:
        check_drawn_split(records, groups, examination, findings)
        check_copy_labels(records, copies, examination, findings)
    return copies
