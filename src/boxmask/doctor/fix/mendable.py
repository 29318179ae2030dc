"""How many findings of a report a mended copy would mend."""

from __future__ import annotations

from collections import Counter

from boxmask.data.detection.selected_classes import CLASS_LEFT_OUT
from boxmask.doctor.fix.absences import find_absences
from boxmask.doctor.fix.mend import mend
from boxmask.doctor.fix.remainder import check_remainder
from boxmask.doctor.fix.rewriting import changes_by_rewriting
from boxmask.doctor.fix.whole_set import check_decided
from boxmask.doctor.fix.write import find_writer_of
from boxmask.doctor.report import CheckReport
from boxmask.errors import LabelError, UsageError


def count_mendable(report: CheckReport) -> int:
    """The findings that `fix_data` would mend; 0 if it would write no copy. Nothing is written.

    A report on labels alone is enough, but does not count the findings about the photos themselves.
    """
    findings, examination = report.findings, report.examination
    if examination is None or not len(findings) or findings.count(CLASS_LEFT_OUT):
        return 0
    mending = mend(report, examination)
    changes = list(mending.changes)
    if report.form is not None:
        try:
            find_writer_of(report.form)
            check_decided(mending)
            check_remainder(report, mending, find_absences(report, mending))
        except (LabelError, UsageError):  # there is no copy, and so nothing is mended
            return 0
        changes += changes_by_rewriting(findings, {change.kind for change in changes})
    total = 0
    for kind, num_changes in Counter(change.kind for change in changes).items():
        is_mended_in_full = num_changes >= len(findings.of(kind))  # others may be counted, but not kept
        total += findings.count(kind) if is_mended_in_full else num_changes
    return total
