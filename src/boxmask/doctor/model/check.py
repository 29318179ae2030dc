"""Add what a trained model suspects to the report of a check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.object_findings import class_finding
from boxmask.data.checks.sound_boxes import has_wrong_coordinates
from boxmask.data.findings import Finding, Findings, Location
from boxmask.detectors.contract import Detector
from boxmask.doctor.model.classifications import find_wrong_folders
from boxmask.doctor.model.detections import find_suspects
from boxmask.doctor.model.findings import report_suspects
from boxmask.doctor.model.kinds import (
    CLASS_UNKNOWN_TO_MODEL,
    CLASS_UNSURE,
    MODEL_UNUSED,
    SEEN_PHOTOS,
    SPLIT_UNKNOWN,
)
from boxmask.doctor.model.known_classes import labels_of_model
from boxmask.doctor.model.seen_photos import splits_of_run
from boxmask.doctor.model.trained_model import TrainedModel
from boxmask.doctor.report import CheckReport
from boxmask.evaluation.suspicions.comparison import Suspects
from boxmask.evaluation.suspicions.photo_comparison import UNKNOWN
from boxmask.messages import format_count
from boxmask.progress import Progress
from boxmask.runs.run import Run


def check_with_model(
    report: CheckReport, trained: TrainedModel, progress: Progress | None = None
) -> CheckReport:
    """The report with what the model suspects: labels that are missing, wrong or badly placed.

    Each labeled photo is predicted once. Findings are sorted, the surest first. Their text names the split
    that the photo was in when the model was trained.

    Raises LabelError if the split file of the run is damaged, and UsageError for a model that does not fit
    the labels.
    """
    examination, findings = report.examination, report.findings
    if examination is None:
        return report
    trained.check_fits(report.label_kind)
    if report.label_kind == "objects" and has_wrong_coordinates(findings):
        detail = "the coordinates of the labels are wrong, so that no label fits a detection"
        findings.add(Finding(MODEL_UNUSED, Location(str(trained.path)), detail))
        return report
    labels = examination.labels
    files = [photo.file for photo in labels.photos if not photo.missing_name]
    splits = splits_of_run(trained.path, report.data, labels.root, files)
    known = labels_of_model(labels.class_names, trained.selection, trained.model.class_names)
    if (known != UNKNOWN).any():
        suspects = _find_suspects(trained, examination, known, progress)
        report_suspects(suspects, labels, trained.model.class_names, splits or {}, findings)
        _add_notes_on_unsure_classes(examination, known, suspects.has_threshold, findings)
    _add_notes_on_unknown_classes(examination, known, findings)
    _add_split_note(trained, splits, len(files), findings)
    return replace(report, splits={**(splits or {}), **report.splits}, trained=trained)


def _find_suspects(
    trained: TrainedModel,
    examination: Examination,
    known: Int[np.ndarray, " M"],
    progress: Progress | None,
) -> Suspects:
    if isinstance(trained.model, Detector):
        return find_suspects(trained.model, examination, known, progress)
    return find_wrong_folders(trained.model, examination, known, progress)


# ---------------------------------------------------------------- notes


def _add_notes_on_unknown_classes(
    examination: Examination, known: Int[np.ndarray, " M"], findings: Findings
) -> None:
    labels = examination.labels
    for label in np.unique(labels.labels).tolist():
        if known[label] == UNKNOWN:
            detail = f"{labels.class_names[label]}: its labels are not checked"
            findings.add(class_finding(labels, CLASS_UNKNOWN_TO_MODEL, label, detail))


def _add_notes_on_unsure_classes(
    examination: Examination,
    known: Int[np.ndarray, " M"],
    has_threshold: Bool[np.ndarray, " K"],
    findings: Findings,
) -> None:
    labels = examination.labels
    for label in np.unique(labels.labels).tolist():
        if known[label] != UNKNOWN and not has_threshold[known[label]]:
            detail = f"{labels.class_names[label]}: too few of its objects are found to accuse any label"
            findings.add(class_finding(labels, CLASS_UNSURE, label, detail))


def _add_split_note(
    trained: TrainedModel, splits: Mapping[str, str] | None, num_photos: int, findings: Findings
) -> None:
    if splits is None:
        detail = "there is no split.json beside the weights"
        findings.add(Finding(SPLIT_UNKNOWN, Location(str(trained.path)), detail))
        return
    counts = {split: list(splits.values()).count(split) for split in ("train", "val", "test")}
    if counts["train"]:
        new = num_photos - sum(counts.values())
        others = [f"{count} in {split}" for split, count in counts.items() if count and split != "train"]
        others += [f"{new} not in the run"] if new else []
        detail = f"{counts['train']} of {format_count(num_photos, 'photo')} are in train"
        text = ", ".join([detail, *others])
        findings.add(Finding(SEEN_PHOTOS, Location(str(Run.from_path(trained.path).split_file)), text))
