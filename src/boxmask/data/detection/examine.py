"""Examine the labels of a detection data set: everything that is wrong with them, without stopping."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from boxmask.data.checks.examination import Examination
from boxmask.data.class_selection import ALL_CLASSES, ClassSelection
from boxmask.data.detection.check_labels import check_labels
from boxmask.data.detection.labeled_photos import missing_photos, report_missing_photos
from boxmask.data.detection.photo_sizes import report_unknown_sizes
from boxmask.data.detection.read_labels import FoundLabels, read_labels
from boxmask.data.findings import Findings
from boxmask.data.photo_checks import UNREADABLE, check_photos


def examine(
    path: str | Path | FoundLabels,
    findings: Findings,
    *,
    photos: bool = True,
    selection: ClassSelection = ALL_CLASSES,
) -> Examination:
    """Read labels in any supported format, compare them with the headers of their photos, and check them.

    path:      of the data set; or the result of `find_labels`, so that the labels are not searched again
    photos:    False opens no photo: the sizes are then those that the labels declare
    selection: the classes to examine

    Findings never stop it. Photos whose header cannot be read are no findings here: `sizes_known` is False
    for them. The checks of `boxmask.data.checks.table` do not run here.
    Raises LabelError if there are no labels at `path`, or if they are in several formats.
    """
    found = path if isinstance(path, FoundLabels) else Path(path)
    labels = read_labels(found, findings, selection)
    report_missing_photos(labels, findings)
    files = [photo.file for photo in labels.photos]
    sizes = np.full((len(files), 2), UNREADABLE, dtype=np.int32)
    if photos:
        sizes, _ = check_photos(labels.root, files, on_bad_photos=None, missing=missing_photos(labels))
    examination = check_labels(labels, sizes, findings).examination
    report_unknown_sizes(examination.labels, examination.sizes, findings)
    return examination
