"""Groups of photos that belong together, but are on two sides of a split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxmask.data.findings import Findings
from boxmask.data.groups.components import members_of_groups
from boxmask.data.groups.copies import Copies
from boxmask.data.groups.group_by import Groups
from boxmask.data.photo_records.records import PhotoRecords
from boxmask.doctor.photos.copies import add_group_finding, is_across
from boxmask.doctor.photos.kinds import GROUP_ACROSS_SPLITS


def check_groups(
    records: PhotoRecords, groups: Groups, copies: Copies, splits: NDArray[np.str_], findings: Findings
) -> None:
    """Add a finding for each group in several splits, with its photos per split.

    Groups that consist of the copies of one photo are not added again.
    """
    for photos in members_of_groups(groups.numbers):
        if is_across(splits[photos]) and len(np.unique(copies.turned[photos])) > 1:
            reason = groups.reasons[groups.numbers[photos[0]]]
            add_group_finding(records, findings, GROUP_ACROSS_SPLITS, photos, splits, reason)
