"""Mend the labels of a data set in memory."""

from __future__ import annotations

from boxmask.data.checks.examination import Examination
from boxmask.doctor.fix.boxes import clip_boxes, mend_empty, mend_inverted, remove_repeats
from boxmask.doctor.fix.class_folders import merge_class_folders
from boxmask.doctor.fix.coordinates import mend_coordinates
from boxmask.doctor.fix.mending import Mending
from boxmask.doctor.fix.photos import mend_sizes, rename_photos
from boxmask.doctor.report import CheckReport


def mend(report: CheckReport, examination: Examination) -> Mending:
    """Mend mistakes with one right answer. Labels in another form come first: their boxes all look wrong."""
    mending = Mending.of(examination, report.form, report.findings)
    if report.label_kind == "objects":
        mend_sizes(mending)
        mend_coordinates(mending)
        mend_inverted(mending)
        mend_empty(mending)
        clip_boxes(mending)
        remove_repeats(mending)
    elif report.label_kind == "class folders":
        merge_class_folders(mending)
    rename_photos(mending, report.records)
    return mending
