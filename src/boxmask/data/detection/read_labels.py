"""Find the labels of a data set and read them in their format, before any check against the photos."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from boxmask.data.class_names import check_class_names
from boxmask.data.class_selection import ALL_CLASSES, ClassSelection
from boxmask.data.detection.selected_classes import select_classes
from boxmask.data.detection.undeclared_classes import check_undeclared_classes
from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats import csv_tables, yolo
from boxmask.data.formats.contract import Format
from boxmask.data.formats.damaged_files import report_damaged_files
from boxmask.data.formats.kinds import FILE_UNREADABLE, FILE_UNUSED, PHOTO_WITHOUT_LABEL
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.photo_finder import join_paths_elsewhere
from boxmask.data.formats.source import Source, find_source, notes_on_unread_files
from boxmask.data.formats.table import FORMATS
from boxmask.errors import LabelError
from boxmask.file_kinds import is_file, is_folder
from boxmask.messages import format_errors

_NOT_NAMED = "left out: no label names it"


@dataclass(frozen=True, slots=True)
class FoundLabels:
    """The files of a data set, and the formats that its labels may be in, each with its label files."""

    path: Path
    source: Source
    formats: Sequence[tuple[Format, list[str]]]


def has_detection_labels(path: Path) -> bool:
    """Whether there are labels at `path` in a format that `read_detection` reads."""
    return (is_file(path) or is_folder(path)) and bool(find_labels(path).formats)


def find_labels(path: Path) -> FoundLabels:
    """List the files of a data set, and recognize the format of its labels. Raises as `find_source` does."""
    source = find_source(path)
    for formats in FORMATS:
        if matching := [(form, files) for form in formats if (files := form.recognize(source))]:
            return FoundLabels(path, source, matching)
    if files := yolo.recognize_by_place(source):
        return FoundLabels(path, source, [(yolo, files)])
    return FoundLabels(path, source, ())


def read_labels(
    data: Path | FoundLabels, findings: Findings, selection: ClassSelection = ALL_CLASSES
) -> Labels:
    """Read the labels of some classes in their format.

    data: the path of the data set; or the result of `find_labels`, so that the labels are not searched again

    Raises LabelError if no format matches, or several do, or no photo or class is left, and UsageError for
    classes that do not exist.
    """
    found = data if isinstance(data, FoundLabels) else find_labels(data)
    path, source = found.path, found.source
    form, files = _one_format(found)
    report_damaged_files(source, files, findings)
    labels = form.read(source, files, findings)
    join_paths_elsewhere(findings)
    labels = replace(labels, notes=labels.notes + source.notes, format_name=form.NAME)
    if not (labels.photos and labels.class_names):
        findings.raise_errors()  # they tell why
    if not labels.photos:
        raise LabelError(f"{path}: the labels ({files[0]}) name no photo. Add the photos to the labels.")
    if not labels.class_names:
        raise LabelError(
            f"{path}: the labels ({files[0]}) name no class, so there is nothing to learn. Add some objects."
        )
    _check_unlabeled_photos(source, labels, findings)
    check_class_names(labels.spellings, findings, labels.spelling_places)
    check_undeclared_classes(labels, findings)
    tables = _report_tables(source, form, findings)
    used = [
        *files,
        *tables,
        *labels.other_files,
        *(photo.file for photo in labels.photos if not photo.missing_name),
    ]
    labels = replace(labels, notes=labels.notes + notes_on_unread_files(source, used))
    return select_classes(labels, selection, findings)


def _one_format(labels: FoundLabels) -> tuple[Format, list[str]]:
    """The one format, and its label files. Raises LabelError if no format matches, or several do."""
    path, source, matching = labels.path, labels.source, labels.formats
    if not matching:
        raise no_labels_error(path, source)
    if len(matching) > 1:
        found = " and ".join(f"{form.NAME}: {files[0]}" for form, files in matching)
        raise LabelError(f"{path}: labels in several formats ({found}). Give the file or folder of one.")
    return matching[0]


def _report_tables(source: Source, form: Format, findings: Findings) -> list[str]:
    """Report tables of labels beside labels in another format, which are not read; returns their files."""
    tables = [] if form.NAME == csv_tables.NAME else csv_tables.recognize(source)
    for file in tables:
        detail = f"a table of labels; the labels are read as {form.NAME}"
        findings.add(Finding(FILE_UNUSED, Location(str(source.root / file)), detail))
    return tables


def _check_unlabeled_photos(source: Source, labels: Labels, findings: Findings) -> None:
    """Add the photos that no label names, in the folders of those that are labeled.

    Photos whose own label file cannot be read are left out: that is reported.
    """
    reported = {finding.photo for finding in findings.of(PHOTO_WITHOUT_LABEL)}
    unreadable = {posixpath.splitext(finding.location.file)[0] for finding in findings.of(FILE_UNREADABLE)}
    named = {photo.file for photo in labels.photos}.intersection(source.photos)
    folders = {posixpath.dirname(file) for file in named}
    candidates = [file for file in source.photos if file not in named and file not in reported]
    others = [
        file
        for file in candidates
        if posixpath.dirname(file) in folders
        and str(source.root / posixpath.splitext(file)[0]) not in unreadable
    ]

    def describe(photo: str) -> Finding:
        return Finding(PHOTO_WITHOUT_LABEL, Location(str(source.root / photo)), _NOT_NAMED, photo)

    findings.add_all(PHOTO_WITHOUT_LABEL, others, describe)


# ---------------------------------------------------------------- no labels


def no_labels_error(path: Path, source: Source, other_labels: Sequence[str] = ()) -> LabelError:
    """The error for a data set without labels of objects: what is there, what was looked for, what to do.

    other_labels: kinds of labels beside those of objects that were looked for, too
    """
    errors = [error for formats in FORMATS for form in formats for error in form.unreadable(source)]
    if errors:
        remedy = "No other labels were found. Correct these files or remove them."
        return LabelError(format_errors("Label files that cannot be read", errors, remedy))
    advice = "Give the folder that holds photos and labels."
    if not source.files:
        return LabelError.in_file(path, f"no labels found: there are no files in it. {advice}")
    if is_file(path) and source.candidates != source.files:
        found = " in this file"
    else:
        only = "only photos: " if len(source.photos) == len(source.files) else ""
        found = f" ({only}{source.describe_contents()})"
    known = [*(form.NAME for formats in FORMATS for form in formats), *other_labels]
    first = f"no labels found{found}. {advice} These labels were looked for:"
    return LabelError.in_file(path, "\n  ".join([first, *known]))
