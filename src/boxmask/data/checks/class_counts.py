"""Classes with no objects, few objects, or far fewer than others; and classes that a split lacks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.object_findings import class_finding
from boxmask.data.contract import SPLITS
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.messages import format_count

MIN_OBJECTS = 10
"""Classes with fewer objects are rare: a test split of a tenth would hold none of them."""

MAX_RATIO = 10
"""A class with this many times the objects of another outweighs it in training."""

CLASS_EMPTY = Kind(
    "class-empty",
    "note",
    "Classes without objects",
    "Label objects of these classes, or remove their names. A model cannot learn them.",
)
CLASS_RARE = Kind(
    "class-rare",
    "note",
    "Classes with few objects",
    "Label more objects of these classes, or merge them with others (--map old=new). Their metrics depend on "
    "chance.",
)
CLASS_IMBALANCE = Kind(
    "class-imbalance",
    "note",
    "Classes with many more objects than others",
    "Add photos of the rare classes, and look at the metrics of each class.",
)
CLASS_MISSING_IN_SPLIT = Kind(
    "class-missing-in-split",
    "warning",
    "Splits without objects of a class",
    "Move photos of this class to the split, or let boxmask draw new splits. A class that is not in "
    "train is not learned; one that is not in val or test is not measured.",
)


def check_empty_classes(examination: Examination, findings: Findings) -> None:
    """Find classes without objects. Crowd regions and difficult objects do not count."""
    labels = examination.labels
    counts = _counts(examination).sum(axis=1)
    for label in np.flatnonzero(counts == 0).tolist():
        findings.add(Finding(CLASS_EMPTY, Location(str(labels.root)), f'"{labels.class_names[label]}"'))


def check_class_counts(examination: Examination, findings: Findings) -> None:
    """Find classes with few objects, and the most and the least common class if they differ much.

    Crowd regions and difficult objects do not count.
    """
    labels = examination.labels
    counts = _counts(examination).sum(axis=1)
    for label in np.flatnonzero((counts > 0) & (counts < MIN_OBJECTS)).tolist():
        detail = f'"{labels.class_names[label]}": {format_count(int(counts[label]), "object")}'
        findings.add(class_finding(labels, CLASS_RARE, label, detail))
    used = np.flatnonzero(counts)
    if len(used) and counts[used].max() >= MAX_RATIO * counts[used].min():
        common, rare = int(used[np.argmax(counts[used])]), int(used[np.argmin(counts[used])])
        ratio = f"{counts[common] / counts[rare]:.3g} times as many"
        sides = [
            f'"{labels.class_names[n]}" has {format_count(int(counts[n]), "object")}' for n in (common, rare)
        ]
        detail = f"{' and '.join(sides)}: {ratio}"
        findings.add(class_finding(labels, CLASS_IMBALANCE, rare, detail))


def check_classes_of_splits(examination: Examination, findings: Findings) -> None:
    """Find classes that one of the splits lacks.

    Rare classes need not be in val and test: there are too few of their objects.
    """
    labels = examination.labels
    counts = _counts(examination)
    in_use = {photo.split for photo in labels.photos}
    for column, split in enumerate(SPLITS):
        total = counts.sum(axis=1)
        is_missing = (counts[:, column] == 0) & (total >= (1 if split == "train" else MIN_OBJECTS))
        for label in np.flatnonzero(is_missing).tolist() if split in in_use else ():
            elsewhere = ", ".join(
                f"{counts[label, index]:,} in {name}"
                for index, name in enumerate(SPLITS)
                if counts[label, index]
            )
            detail = (
                f'"{labels.class_names[label]}" has no object in {split}: {elsewhere or "none in a split"}'
            )
            findings.add(class_finding(labels, CLASS_MISSING_IN_SPLIT, label, detail))


def _counts(examination: Examination) -> Int[np.ndarray, "K 4"]:
    """The number of objects of each class in each split of `SPLITS`, and in the last column in no split.

    Crowd regions and difficult objects do not count.
    """
    labels = examination.labels
    columns = {split: column for column, split in enumerate(SPLITS)}
    column_of = np.array(
        [columns.get(photo.split or "", len(SPLITS)) for photo in labels.photos], dtype=np.int64
    )
    counted = np.flatnonzero(~(labels.crowd | labels.difficult))
    width = len(SPLITS) + 1
    cells = labels.labels[counted] * width + column_of[labels.photo_of[counted]]
    return np.bincount(cells, minlength=len(labels.class_names) * width).reshape(-1, width)
