"""Write a mended copy of a data set, with an account of all changes and of all that is left."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from boxmask.data.checks.contract import Examination
from boxmask.data.conversion.output_folder import check_output_folder, new_folder, record_folder
from boxmask.data.conversion.photo_files import PhotoMode, place_photo
from boxmask.data.formats.contract import ClassNames, Losses, PhotoLabels, Writer
from boxmask.data.formats.table import FORMATS, WRITERS
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.account import CHANGES_FILE, DIFF_FILE, LEFT_FILE, format_changes, format_left
from boxmask.doctor.fix.boxes import clip_boxes, mend_empty, mend_inverted, remove_repeats
from boxmask.doctor.fix.coordinates import mend_coordinates
from boxmask.doctor.fix.line_diff import unified_diff
from boxmask.doctor.fix.mending import Change, Mending
from boxmask.doctor.fix.photo_labels import PhotoLabelsOfMending
from boxmask.doctor.fix.photos import mend_sizes, rename_photos
from boxmask.doctor.fix.rewriting import changes_by_rewriting
from boxmask.doctor.report import CheckReport
from boxmask.errors import UsageError

Progress: TypeAlias = Callable[[int, int], None]
"""Called after each photo with the number of photos done and of all photos."""


@dataclass(frozen=True)
class MendedCopy:
    """A mended copy of a data set.

    path:    its folder
    changes: all changes, also in changes.txt there
    report:  of its check
    """

    path: Path
    changes: tuple[Change, ...]
    report: CheckReport


def fix_data(
    report: CheckReport, out: Path, *, photos: PhotoMode = "copy", progress: Progress | None = None
) -> MendedCopy:
    """Write a mended copy of the data set of a report into the folder `out`, and check it.

    Mended is what has one right answer (see docs/decisions/0033-mended-copies.md). The folder also holds
    changes.txt, changes.diff and left.txt. The data set itself is never changed.

    photos: whether to copy photos or link to them

    Raises UsageError for a report without labels, for a format that boxmask does not write, and for a folder
    that may not be written. Raises PhotoError and OutputError.
    """
    examination = report.examination
    if examination is None:
        raise UsageError(f"{report.data}: its labels cannot be read, so that nothing can be mended.")
    check_output_folder(out, report.data)
    check_output_folder(out, examination.labels.root)
    writer = _writer_of(examination)
    mending = mend(report, examination)
    changes = (*mending.changes, *changes_by_rewriting(report.findings))
    with new_folder(out) as folder:
        losses = _write_copy(mending, writer, folder, photos, progress or (lambda done, total: None))
        _write_text(folder / CHANGES_FILE, format_changes(report, changes, losses))
        _write_text(folder / DIFF_FILE, "".join(f"{line}\n" for line in _diff(mending, writer, folder)))
    copy = check_data(out, labels_only=report.records is None, progress=progress)
    _write_text(out / LEFT_FILE, format_left(report, copy, {change.id for change in changes}))
    record_folder(out)
    return MendedCopy(out, changes, copy)


def mend(report: CheckReport, examination: Examination) -> Mending:
    """Mend labels in memory, whole sets first: boxes in another form would look like bad ones."""
    mending = Mending.of(examination, report.findings)
    mend_sizes(mending)
    mend_coordinates(mending)
    mend_inverted(mending)
    mend_empty(mending)
    clip_boxes(mending)
    remove_repeats(mending)
    rename_photos(mending, report.records)
    return mending


def _writer_of(examination: Examination) -> Writer:
    """The writer of the format that was read."""
    name = examination.labels.format_name
    own = [getattr(form, "WRITER", None) for group in FORMATS for form in group if name == form.NAME]
    for writer in WRITERS:
        if any(writer is candidate for candidate in own):
            return writer
    raise UsageError(
        f"--fix: boxmask does not write this format ({name}). Convert the labels first: boxmask convert"
    )


# ---------------------------------------------------------------- writing


def _write_copy(
    mending: Mending, writer: Writer, folder: Path, photos: PhotoMode, progress: Progress
) -> Losses:
    """Write mended labels and their photos; returns what the format cannot hold."""
    losses, total = Losses(), len(mending.labels.photos)

    def placed() -> Iterator[PhotoLabels]:
        for number, photo in enumerate(PhotoLabelsOfMending(mending, is_mended=True), start=1):
            place_photo(photo.path, folder, writer.photo_file(photo.file, photo.split), photos)
            yield photo
            progress(number, total)

    writer.write(placed(), _class_names(mending), folder, losses)
    return losses


def _class_names(mending: Mending) -> ClassNames:
    return ClassNames.of(mending.labels.class_names, mending.labels.attributes.classes)


def _diff(mending: Mending, writer: Writer, folder: Path) -> Iterator[str]:
    """What the mends change in the text of the label files, beside nothing else that writing changes."""
    with tempfile.TemporaryDirectory(prefix="boxmask-") as temporary:
        unmended, mended = Path(temporary, "unmended"), Path(temporary, "mended")
        for is_mended, target in ((False, unmended), (True, mended)):
            target.mkdir()
            photos = PhotoLabelsOfMending(mending, is_mended=is_mended)
            writer.write(iter(photos), _class_names(mending), target, Losses())
        for name in sorted(_texts(unmended) | _texts(mended)):
            yield from unified_diff(_lines(unmended / name), _lines(mended / name), name)


def _texts(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _lines(path: Path) -> list[str]:
    """The lines of a file; none if it does not exist."""
    return path.read_text(encoding="utf-8", errors="backslashreplace").split("\n") if path.exists() else []


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
