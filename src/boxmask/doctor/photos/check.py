"""Findings about photos, from their records."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxmask.data.checks.contract import Examination
from boxmask.data.findings import Findings
from boxmask.data.photo_records.records import PhotoRecords


def check_photo_records(
    records: PhotoRecords,
    splits: NDArray[np.str_],
    findings: Findings,
    examination: Examination | None = None,
) -> None:
    """Add what is wrong, or may be, with photos: quality, copies, and groups on two sides of a split.

    splits:      (P,) "train", "val", "test" or "" by photo of `records`
    examination: labels, for copies that are labeled differently; its photos are found by their names
    """
    raise NotImplementedError
