"""Write a mended copy of a data set, with an account of all changes and of all that is left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxmask.cache_folder import with_archive_names
from boxmask.data.archives import is_archive
from boxmask.data.conversion.output_folder import check_output_folder, new_folder, record_folder
from boxmask.data.detection.selected_classes import CLASS_LEFT_OUT
from boxmask.data.findings import Findings
from boxmask.data.photo_files import PhotoMode
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.absences import Absence, absent_kinds, find_absences
from boxmask.doctor.fix.account import (
    CHANGES_FILE,
    DIFF_FILE,
    LEFT_FILE,
    format_changes,
    format_left,
)
from boxmask.doctor.fix.files import FileCopy
from boxmask.doctor.fix.mend import mend
from boxmask.doctor.fix.mending import Change, Mending
from boxmask.doctor.fix.remainder import check_remainder
from boxmask.doctor.fix.rewriting import changes_by_rewriting
from boxmask.doctor.fix.whole_set import check_decided
from boxmask.doctor.fix.write import LabelCopy, find_writer_of
from boxmask.doctor.report import CheckReport
from boxmask.doctor.with_run import with_model_findings
from boxmask.errors import UsageError
from boxmask.progress import Progress


@dataclass(frozen=True)
class MendedCopy:
    """A mended copy of a data set.

    path:    its folder
    changes: all changes, also in changes.txt there
    report:  of its check
    absences: what the copy lacks: photos, objects, label files; also in changes.txt
    num_absent_errors: errors in the data set because of which the copy lacks something
    """

    path: Path
    changes: tuple[Change, ...]
    report: CheckReport
    absences: tuple[Absence, ...] = ()
    num_absent_errors: int = 0

    @property
    def has_errors(self) -> bool:
        """Whether there are errors in the copy, or errors because of which it lacks something."""
        return self.report.has_errors or self.num_absent_errors > 0


def fix_data(
    report: CheckReport, out: Path, *, photos: PhotoMode = "copy", progress: Progress | None = None
) -> MendedCopy:
    """Write a mended copy of the data set of a report into the folder `out`, and check it.

    Only mistakes with one right answer are mended (see docs/decisions/0033-mended-copies.md). The folder also
    holds changes.txt, changes.diff and left.txt. The data set itself is never changed.

    photos: whether to copy photos or link to them

    Raises UsageError for a report without labels, photos or some of its findings, for a format that boxmask
    does not write, and for a folder that may not be written. Raises LabelError for a mistake of all labels
    that is left to the user, and if the copy would hold nearly nothing. Raises PhotoError and OutputError.
    """
    _check_complete(report.findings)
    examination = report.examination
    if examination is None:
        raise UsageError(f"{report.data}: its labels cannot be read, so that nothing can be mended.")
    if report.records is None:
        raise UsageError("A mended copy needs the photos. Check them, too: leave out labels_only.")
    if not is_archive(report.data):  # which may lie beside the new folder
        check_output_folder(out, report.data)
    check_output_folder(out, examination.labels.root)
    mending = mend(report, examination)
    job = _job(report, mending)
    check_decided(mending)
    changes = tuple(mending.changes)
    if report.form is not None:
        changes += tuple(changes_by_rewriting(report.findings, {change.kind for change in changes}))
    absences = find_absences(report, mending)
    check_remainder(report, mending, absences)
    with new_folder(out) as folder:
        losses = job.write(folder, photos, progress or (lambda done, total: None))
        text = format_changes(report, changes, absences, job.remarks(), losses)
        _write_text(folder / CHANGES_FILE, with_archive_names(text))
        _write_text(folder / DIFF_FILE, "".join(f"{line}\n" for line in job.diff()))
    copy = check_data(out, classes_file=report.classes_file, progress=progress)
    copy = with_model_findings(copy, report.trained, progress)
    mended = {change.kind for change in changes}
    left = format_left(report, copy, mended, absences)
    _write_text(out / LEFT_FILE, with_archive_names(left))
    record_folder(out)
    absent = [kind for kind in absent_kinds(absences, report) if kind.severity == "error"]
    return MendedCopy(out, changes, copy, absences, sum(map(report.findings.count, absent)))


def _job(report: CheckReport, mending: Mending) -> LabelCopy | FileCopy:
    """What writes the copy: a writer of labels, or a copy of files for labels that are folders or images."""
    if report.form is not None:
        return LabelCopy(mending, find_writer_of(report.form))
    return FileCopy(mending)


def _check_complete(findings: Findings) -> None:
    """Raise UsageError for classes that were left out, and for findings that are counted, but not kept."""
    if findings.count(CLASS_LEFT_OUT):
        raise UsageError(
            "A mended copy holds all classes. Check all, or choose some with boxmask convert --classes."
        )
    for kind in findings.kinds:
        if len(findings.of(kind)) < findings.count(kind):
            raise UsageError(
                f"the report does not keep all {findings.count(kind):,} findings of {kind.id}. "
                "Check the data set with keep_all=True."
            )


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
