"""Objects of one class whose boxes are almost the same."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.checks.box_ious import paired_ious
from boxmask.data.checks.examination import Examination
from boxmask.data.checks.object_findings import object_finding
from boxmask.data.checks.sound_boxes import are_boxes_drawn, sound_boxes
from boxmask.data.detection.photo_sizes import has_size
from boxmask.data.findings import Finding, Findings, Kind
from boxmask.data.formats.labels import Labels

MIN_IOU = 0.95
"""Two people who draw the same object agree to about 0.9. Above 0.95, one drew it twice, or copied it."""

ROUNDING = 1.5
MIN_ROUNDED_IOU = 0.8
"""From this IoU on, boxes whose edges differ by at most `ROUNDING` pixels are copies: one of them was
rounded, or moved by a pixel."""

MAX_NEIGHBORS = 1_000
"""A box is compared with this many others that begin next to it, so that no file takes quadratic time."""

MAX_COMPARISONS = 20_000_000
MAX_PAIRS = 2_000_000
"""After so many comparisons or pairs, the search ends. Only files with far too many boxes in one place come
that far."""

BOX_NEARLY_REPEATED = Kind(
    "box-nearly-repeated",
    "note",
    "Boxes that nearly repeat another of their class",
    "Look at each of them, and remove the copies. Keep them if one object nearly hides another.",
)


def check_nearly_repeated_boxes(examination: Examination, findings: Findings) -> None:
    """Find boxes that are almost those of another object of the same photo and class.

    Equal boxes are left to `check_repeated_boxes`, and crowd regions are left out.
    """
    if not are_boxes_drawn(examination):
        return
    labels = examination.labels
    rows = np.flatnonzero(sound_boxes(examination) & ~labels.crowd)
    rows = _without_repeats(labels, rows)
    group = labels.photo_of[rows] * len(labels.class_names) + labels.labels[rows]
    rounding = _rounding(examination)[labels.photo_of[rows]]
    pairs = np.sort(rows[_near_pairs(labels.boxes[rows], group, rounding)], axis=1)
    near = pairs[np.lexsort([pairs[:, 0], pairs[:, 1]])]

    def describe(pair: Int[np.ndarray, " 2"]) -> Finding:
        earlier, row = pair.tolist()
        overlap = float(paired_ious(labels.boxes[[row]], labels.boxes[[earlier]])[0])
        reason = f"has an IoU of {overlap:.3f} with {labels.location(earlier)}"
        return object_finding(labels, BOX_NEARLY_REPEATED, row, reason)

    findings.add_all(BOX_NEARLY_REPEATED, near, describe)


def _rounding(examination: Examination) -> Float[np.ndarray, " P"]:
    """`ROUNDING` in pixels of each photo; 0 where its size is unknown.

    Labels are rounded to pixels of the size that they declare, and may have been scaled to the photo.
    """
    sizes = examination.sizes
    pairs = zip(examination.labels.photos, sizes.tolist(), strict=True)
    declared = np.array([photo.declared_size or size for photo, size in pairs], dtype=np.float64)
    areas, drawn_areas = sizes.astype(np.float64).prod(axis=1), declared.reshape(-1, 2).prod(axis=1)
    return np.where(has_size(sizes), ROUNDING * np.sqrt(areas / np.maximum(drawn_areas, 1)), 0)


def _without_repeats(labels: Labels, rows: Int[np.ndarray, " N"]) -> Int[np.ndarray, " M"]:
    """The first row of equal boxes of one photo and class, sorted by photo, class and x1."""
    keys = [*labels.boxes[rows].T[::-1], labels.labels[rows], labels.photo_of[rows]]
    order = np.lexsort(keys)  # stable, so that the first row of equal ones comes first
    in_order = np.stack(keys)[:, order]
    is_new = np.ones(len(rows), dtype=bool)
    is_new[1:] = (in_order[:, 1:] != in_order[:, :-1]).any(axis=0)
    return np.asarray(rows[order[is_new]])


def _near_pairs(
    boxes: Float[np.ndarray, "M 4"], group: Int[np.ndarray, " M"], rounding: Float[np.ndarray, " M"]
) -> Int[np.ndarray, "Q 2"]:
    """Pairs of boxes of one group that are almost, but not exactly, the same.

    boxes:    sorted by group, and then by x1
    rounding: see `_rounding`; boxes in photos of unknown size may be in fractions

    If the IoU of two boxes is t, the wider one is at most 1 / t times as wide as their intersection, so that
    their left edges differ by at most (1 / t - 1) times the width of the left one.
    """
    reach = boxes[:, 0] + np.maximum(rounding, (1 / MIN_IOU - 1) * (boxes[:, 2] - boxes[:, 0]))
    found = [np.zeros((0, 2), dtype=np.int64)]
    comparisons = pairs = 0
    first = np.arange(len(boxes) - 1)
    for step in range(1, MAX_NEIGHBORS + 1):
        second = first + step
        within = second < len(boxes)
        first, second = first[within], second[within]
        within = (group[second] == group[first]) & (boxes[second, 0] <= reach[first])
        first, second = first[within], second[within]  # a box farther right is no nearer
        comparisons += len(first)
        if not len(first) or comparisons > MAX_COMPARISONS or pairs > MAX_PAIRS:
            break
        is_near = _are_near(boxes[first], boxes[second], rounding[first])
        found.append(np.column_stack([first[is_near], second[is_near]]))
        pairs += len(found[-1])
    return np.concatenate(found)


def _are_near(
    boxes: Float[np.ndarray, "M 4"], others: Float[np.ndarray, "M 4"], rounding: Float[np.ndarray, " M"]
) -> Bool[np.ndarray, " M"]:
    ious, distances = paired_ious(boxes, others), np.abs(boxes - others).max(axis=1)
    is_rounded = (distances <= rounding) & (ious >= MIN_ROUNDED_IOU)
    return np.asarray(((ious >= MIN_IOU) | is_rounded) & (distances > 0))
