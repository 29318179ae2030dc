"""Refuse a mended copy that would hold nearly nothing of the data set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from boxmask.doctor.fix.absences import Absence, absent_kinds
from boxmask.doctor.fix.mending import Mending
from boxmask.doctor.report import CheckReport
from boxmask.errors import LabelError
from boxmask.messages import format_count

_MIN_SHARE = 0.1
"""A copy with fewer of the objects that were read is no mended data set."""


def check_remainder(report: CheckReport, mending: Mending, absences: Sequence[Absence]) -> None:
    """Raise LabelError if the copy would hold no photo, no object, or only few of the objects.

    Objects whose removal is a change do not count. A data set without any object may be copied.
    """
    if report.form is None:  # the files of class folders and label maps are copied
        return
    labels = mending.labels
    has_box = np.isfinite(labels.boxes).all(axis=1)
    num_written = int((mending.written[labels.photo_of] & has_box & mending.kept).sum())
    num_kept = int(mending.kept.sum())
    is_lost = any(absence.num_objects for absence in absences)
    if mending.written.any() and num_written >= _MIN_SHARE * num_kept and (num_written or not is_lost):
        return
    photos = format_count(int(mending.written.sum()), "photo")
    total = num_written + sum(absence.num_objects for absence in absences)
    reasons = "\n".join(report.findings.message(kind) for kind in absent_kinds(absences, report))
    raise LabelError(
        f"no mended copy was written: it would hold {num_written:,} of {total:,} objects in {photos}. "
        f"Correct this first, then use --fix for the rest.\n{reasons}".rstrip()
    )
