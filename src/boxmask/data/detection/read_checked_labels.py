"""Read labels of objects, and check them against their photos, without torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from boxmask.data.checks.class_shift import check_class_numbers
from boxmask.data.checks.consequences import remove_consequences
from boxmask.data.checks.table import QUICK_CHECKS
from boxmask.data.class_selection import ALL_CLASSES, ClassSelection
from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.check_labels import check_labels
from boxmask.data.detection.checked_labels import CheckedLabels
from boxmask.data.detection.labeled_photos import check_labeled_photos
from boxmask.data.detection.read_labels import read_labels
from boxmask.data.findings import Findings
from boxmask.data.formats.labels import Labels
from boxmask.data.photo_checks import OnBadPhotos
from boxmask.data.photo_list import SelectPhotos, select_all
from boxmask.data.policy import Policy
from boxmask.options import check_choice


def read_checked_labels(
    path: str | Path,
    on_bad_boxes: OnBadBoxes | None = None,
    on_bad_photos: OnBadPhotos | None = "error",
    *,
    needs_masks: bool = True,
    select: SelectPhotos = select_all,
    selection: ClassSelection = ALL_CLASSES,
) -> CheckedLabels:
    """Read and check labels as `read_unsplit_detection` does, without making them a data set."""
    check_choice("on_bad_boxes", on_bad_boxes, OnBadBoxes | None)
    check_choice("on_bad_photos", on_bad_photos, OnBadPhotos | None)
    findings = Findings()
    labels = read_labels(Path(path), findings, selection)
    policy = Policy(on_bad_boxes, needs_masks=needs_masks)
    _raise_errors(labels, findings, policy)
    photos, sizes = check_labeled_photos(labels, on_bad_photos, select)
    checked = check_labels(labels, sizes, findings)
    for check in QUICK_CHECKS:
        check(checked.examination, findings)
    remove_consequences(findings, ("data set", "photo"))
    notes = policy.decide(findings, len(labels.photo_of))
    return CheckedLabels(
        labels=replace(checked.labels, notes=labels.notes + notes),
        photos=photos,
        sizes=checked.sizes,
        label_sizes=checked.label_sizes,
        boxes=checked.boxes,
        good=checked.good,
        masks=checked.reading.masks.expand(),
        bad_outlines=checked.reading.bad,
    )


def _raise_errors(labels: Labels, findings: Findings, policy: Policy) -> None:
    """Raise LabelError with the errors that were found in reading, and with what has caused them."""
    if any(kind.severity == "error" for kind in findings.kinds):
        check_class_numbers(labels, findings)
    remove_consequences(findings, ("data set", "photo"))
    policy.raise_reading_errors(findings)
