"""Check a data set: read its labels, check them, and pass over its photos."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from boxmask.data.checks.consequences import remove_consequences
from boxmask.data.checks.examination import Examination
from boxmask.data.checks.summary import summarize
from boxmask.data.checks.table import CHECKS
from boxmask.data.class_selection import ALL_CLASSES, ClassSelection
from boxmask.data.classification.class_folders import NoClassFoldersError
from boxmask.data.detection.compressed_masks import CompressedMasks
from boxmask.data.detection.examine import examine
from boxmask.data.detection.photo_sizes import has_size
from boxmask.data.detection.read_labels import FoundLabels, find_labels, no_labels_error
from boxmask.data.detection.selected_classes import select_classes
from boxmask.data.findings import (
    MAX_PER_KIND,
    Finding,
    Findings,
    FoundErrorsError,
    Kind,
    Location,
    finding_of_error,
)
from boxmask.data.formats.damaged_files import report_damaged_files
from boxmask.data.formats.kinds import FILE_UNREADABLE
from boxmask.data.formats.source import find_source
from boxmask.data.groups.copies import Copies
from boxmask.data.photo_records.examine import examine_photos
from boxmask.data.photo_records.records import PhotoRecords
from boxmask.data.split_file import splits_in_file
from boxmask.doctor.photos.check import check_photo_records
from boxmask.doctor.photos.files import photo_files
from boxmask.doctor.report import CheckReport, LabelKind
from boxmask.errors import LabelError
from boxmask.file_kinds import is_file, is_folder
from boxmask.messages import format_count
from boxmask.progress import Progress

DATA_UNREADABLE = Kind(
    "data-unreadable",
    "error",
    "Data sets that cannot be read",
    "Correct this first. Nothing else can be checked.",
)
LABELS_MISSING = Kind(
    "labels-missing",
    "warning",
    "Data sets without labels",
    "Only the photos were checked. To check labels, give a folder that holds both photos and labels.",
)
_OTHER_LABELS = (
    "label maps (an image of classes per photo: images/x.jpg and masks/x.png, or x.jpg and x_mask.png)",
    "class folders (one folder of photos per class)",
)
_LABEL_SUFFIXES = (".json", ".xml", ".csv", ".yaml", ".yml")


def check_data(
    data: Path,
    *,
    labels_only: bool = False,
    split_file: Path | None = None,
    classes_file: Path | None = None,
    selection: ClassSelection = ALL_CLASSES,
    keep_all: bool = False,
    progress: Progress | None = None,
    on_labels: Callable[[CheckReport], None] | None = None,
) -> CheckReport:
    """Check labels, and photos unless `labels_only`.

    split_file:   the splits to check. Default: the data set's own.
    classes_file: the classes of label maps; see `boxmask.data.segmentation.classes_file`
    selection:    the classes to check
    keep_all:     keep all findings; otherwise, at most `MAX_PER_KIND` of each kind are kept
    on_labels:    called with the report on the labels, before the pass over the photos adds its findings

    Whatever is wrong with the data set becomes a finding. Raises LabelError if there is nothing at `data`, or
    if the split file cannot be used, and UsageError for a classes file for other labels than label maps.
    """
    _check_exists(data)
    findings = Findings(sys.maxsize if keep_all else MAX_PER_KIND)
    label_kind: LabelKind | None = None
    try:
        found = find_labels(data)
        label_kind = "label maps" if classes_file else _kind_of(found)
        examination = _examine(found, label_kind, findings, not labels_only, classes_file, selection)
    except LabelError as error:
        alone = isinstance(error, NoClassFoldersError) and _check_photos_alone(data, labels_only, progress)
        return alone or _report_unreadable(data, error, findings)
    examination = _with_splits(examination, split_file)
    _run_checks(examination, findings)
    report = _report(data, found, label_kind, findings, examination)
    report = replace(report, classes_file=classes_file, selection=selection)
    if labels_only:
        return report
    if on_labels is not None:
        on_labels(report)
    records, copies = _check_photos(examination, findings, progress)
    return replace(report, num_photos=len(records), records=records, copies=copies)


def _report(
    data: Path, found: FoundLabels, label_kind: LabelKind, findings: Findings, examination: Examination
) -> CheckReport:
    """The report on labels, without a pass over the photos."""
    labels = examination.labels
    return CheckReport(
        data=data,
        root=labels.root,
        labels=labels.format_name.partition(" (")[0] or label_kind,
        findings=findings,
        num_photos=len(labels.photos),
        splits={photo.file: photo.split for photo in labels.photos if photo.split},
        label_kind=label_kind,
        summary=summarize(examination),
        examination=examination,
        form=found.formats[0][0] if label_kind == "objects" else None,
    )


def _run_checks(examination: Examination, findings: Findings) -> None:
    """Check labels, and remove what follows from other findings.

    A finding has its box in pixels: boxes in fractions of unknown sizes are removed.
    """
    for check in CHECKS:
        check(examination, findings)
    remove_consequences(findings)
    if examination.in_fractions:
        unknown = np.flatnonzero(~has_size(examination.sizes)).tolist()
        findings.remove_boxes({examination.labels.photos[index].file for index in unknown})


def _check_exists(data: Path) -> None:
    if not (is_file(data) or is_folder(data)):
        raise LabelError(f"{data}: no such file or folder. Check the spelling.")


def _report_unreadable(data: Path, error: LabelError, findings: Findings) -> CheckReport:
    if isinstance(error, NoClassFoldersError):
        error = no_labels_error(data, find_source(data), _OTHER_LABELS)
    if not (isinstance(error, FoundErrorsError) or findings.count(FILE_UNREADABLE)):  # that tell it all
        findings.add(finding_of_error(DATA_UNREADABLE, data, error))
    return CheckReport(data, data if is_folder(data) else data.parent, "", findings, 0)


def kind_of_labels(data: Path) -> LabelKind:
    """Objects come before label maps, and label maps before class folders."""
    return _kind_of(find_labels(data))


def _kind_of(found: FoundLabels) -> LabelKind:
    if found.formats:
        return "objects"
    from boxmask.data.segmentation.pairs import has_label_maps

    return "label maps" if has_label_maps(found.path) else "class folders"


def _examine(
    found: FoundLabels,
    label_kind: LabelKind,
    findings: Findings,
    photos: bool,
    classes_file: Path | None,
    selection: ClassSelection,
) -> Examination:
    """Read the labels. photos: whether the headers of photos may be read

    Label maps and class folders need torch, which takes half a gigabyte: it is loaded for them only.
    """
    data = found.path
    if label_kind == "objects":
        return examine(found, findings, photos=photos, selection=selection)
    if label_kind == "label maps":
        from boxmask.data.segmentation.examine import examine_label_maps

        return _select(examine_label_maps(data, findings, classes_file=classes_file), selection, findings)
    report_damaged_files(found.source, (), findings)  # they may be the labels of these photos
    from boxmask.data.classification.examine import examine_class_folders

    return _select(examine_class_folders(data, findings), selection, findings)


def _select(examination: Examination, selection: ClassSelection, findings: Findings) -> Examination:
    """The chosen classes of label maps or class folders, whose objects have no masks."""
    labels = select_classes(examination.labels, selection, findings)
    return replace(examination, labels=labels, masks=CompressedMasks.unknown(len(labels.photo_of)))


def _with_splits(examination: Examination, split_file: Path | None) -> Examination:
    """The splits of a file, if one is given."""
    if split_file is None:
        return examination
    labels = examination.labels
    splits = splits_in_file(split_file, [photo.file for photo in labels.photos])
    photos = [replace(photo, split=splits.get(photo.file)) for photo in labels.photos]
    return replace(examination, labels=replace(labels, photos=photos))


# ---------------------------------------------------------------- photos


def _check_photos(
    examination: Examination, findings: Findings, progress: Progress | None
) -> tuple[PhotoRecords, Copies]:
    labels = examination.labels
    files = photo_files(labels)
    splits = {photo.file: photo.split or "" for photo in labels.photos}
    records = examine_photos(labels.root, files, progress)
    split_of = np.array([splits.get(file, "") for file in files], dtype="<U5")
    return records, check_photo_records(records, split_of, findings, examination)


def _check_photos_alone(data: Path, labels_only: bool, progress: Progress | None) -> CheckReport | None:
    """The report on photos without any label file; None without photos, and if a file may hold labels."""
    source = find_source(data)
    is_part = source.candidates != source.files  # a file, or a folder for labels
    may_hold_labels = any(source.candidates_with_suffix(suffix) for suffix in _LABEL_SUFFIXES)
    if not source.photos or is_part or may_hold_labels:
        return None
    findings = Findings()
    detail = f"{format_count(len(source.photos), 'photo')}, and no labels in a format that boxmask reads"
    findings.add(Finding(LABELS_MISSING, Location(str(data)), detail))
    if not labels_only:
        records = examine_photos(source.root, source.photos, progress)
        check_photo_records(records, np.full(len(source.photos), "", dtype="<U5"), findings)
    return CheckReport(data, source.root, "", findings, len(source.photos))
