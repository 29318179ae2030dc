"""Objects with exactly the same box in one photo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.object_findings import format_box, object_finding
from boxmask.data.checks.sound_boxes import are_boxes_drawn, sound_boxes
from boxmask.data.findings import Finding, Findings, Kind
from boxmask.messages import format_count

_Repeat: TypeAlias = tuple[int, int]
"""The row of an object, and that of an earlier one with the same box."""

COMMON_PAIRS = 10
COMMON_SHARE = 0.3
"""Two classes that share so many boxes, and this share of those of the rarer class, are two labels of each
object, such as "person" and "child"."""

BOX_REPEATED = Kind(
    "box-repeated",
    "warning",
    "Repeated boxes",
    "Remove the copies: a model that finds the object once counts as missing them. Keep them only if "
    "one object hides another completely.",
)
BOX_REPEATED_OTHER_CLASS = Kind(
    "box-repeated-other-class",
    "warning",
    "Boxes repeated with another class",
    "Keep the class that is right, and remove the other object. If the objects have two classes on "
    "purpose, train one model for each set of classes.",
)


def check_repeated_boxes(examination: Examination, findings: Findings) -> None:
    """Find objects with the box of an earlier object in the same photo.

    Objects of one class with different masks are not copies. Crowd regions are left out.
    """
    if not are_boxes_drawn(examination):
        return
    labels = examination.labels.labels
    clashes: dict[tuple[int, int], list[_Repeat]] = defaultdict(list)
    for rows in _rows_with_the_same_box(examination):
        _, firsts = np.unique(labels[rows], return_index=True)
        first, *others = [rows[index] for index in sorted(firsts.tolist())]
        for row in others:
            low, high = sorted([int(labels[first]), int(labels[row])])
            clashes[low, high].append((row, first))
    copies = find_repeated_boxes(examination)
    findings.add_all(BOX_REPEATED, copies, lambda repeat: _describe(examination, BOX_REPEATED, repeat))
    _add_clashes(examination, clashes, findings)


def find_repeated_boxes(examination: Examination) -> list[tuple[int, int]]:
    """The row of each object with the photo, class, box and mask of an earlier one, and the row of that."""
    return [repeat for rows in _rows_with_the_same_box(examination) for repeat in _copies(examination, rows)]


def _rows_with_the_same_box(examination: Examination) -> list[list[int]]:
    """The rows of each box that occurs more than once in a photo, in the order of the labels."""
    labels = examination.labels
    rows = np.flatnonzero(sound_boxes(examination) & ~labels.crowd)
    keys = np.column_stack([labels.photo_of[rows], labels.boxes[rows]])
    order = np.lexsort(keys.T)  # stable: rows with one key stay in order
    is_new = np.ones(len(rows) + 1, dtype=bool)
    is_new[1:-1] = (np.diff(keys[order], axis=0) != 0).any(axis=1)
    starts = np.flatnonzero(is_new)
    repeated = np.flatnonzero(np.diff(starts) > 1).tolist()
    return sorted(rows[order[starts[group] : starts[group + 1]]].tolist() for group in repeated)


def _copies(examination: Examination, rows: Sequence[int]) -> list[_Repeat]:
    """Of objects with one box, those with the class and mask of an earlier one."""
    masks = examination.masks
    first_with: dict[tuple[int, bytes], int] = {}
    copies = []
    for row in rows:
        mask = masks.text_of(row)
        first = first_with.setdefault((int(examination.labels.labels[row]), mask), row)
        if first != row:
            copies.append((row, first))
    return copies


def _add_clashes(
    examination: Examination, clashes: Mapping[tuple[int, int], Sequence[_Repeat]], findings: Findings
) -> None:
    """Report boxes of two classes; those of two classes that are often on one object only once."""
    labels = examination.labels
    counts = np.bincount(labels.labels, minlength=len(labels.class_names))
    for classes, repeats in clashes.items():
        is_common = len(repeats) >= max(COMMON_PAIRS, COMMON_SHARE * counts[list(classes)].min())
        shown = repeats[:1] if is_common else repeats
        for repeat in shown:
            finding = _describe(examination, BOX_REPEATED_OTHER_CLASS, repeat)
            if is_common:
                detail = (
                    f"{finding.detail}, and so do {format_count(len(repeats) - 1, 'box')} of these classes"
                )
                finding = replace(finding, detail=detail)
            findings.add(finding)


def _describe(examination: Examination, kind: Kind, repeat: _Repeat) -> Finding:
    labels, (row, first) = examination.labels, repeat
    location = labels.location(first)
    place = location.entry or (f"line {location.line}" if location.line else "")
    name = labels.class_names[labels.labels[first]]
    earlier = f"the box of {name}" + (f" in {place}" if place else "")
    return object_finding(labels, kind, row, f"has {earlier}: {format_box(labels, row)}")
