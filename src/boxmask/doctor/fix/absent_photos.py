"""Photos that a mended copy lacks."""

from __future__ import annotations

from boxmask.data.formats.kinds import PHOTO_WITHOUT_LABEL
from boxmask.data.formats.labels import Labels
from boxmask.doctor.report import CheckReport
from boxmask.file_kinds import is_file


def find_absent_photos(report: CheckReport, labels: Labels) -> tuple[str, ...]:
    """The photos of a data set that have no labels, sorted. Only labels of objects leave photos out."""
    if report.label_kind != "objects":
        return ()
    unlabeled = {finding.photo for finding in report.findings.of(PHOTO_WITHOUT_LABEL)} - {""}
    checked = set() if report.records is None else set(report.records.files)
    written = {photo.file for photo in labels.photos if not photo.missing_name}
    return tuple(sorted(file for file in (unlabeled | checked) - written if is_file(labels.root / file)))
