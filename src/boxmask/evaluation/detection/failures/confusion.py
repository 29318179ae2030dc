"""The confusion matrix of detections at the minimum scores.

A kept detection that finds an object is right. Then the other kept detections, highest score first, each take
the free object of another class that they overlap most, at IoU 0.5 or more. What is left is a detection of
the background, or a missed object.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from jaxtyping import Float, Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.failures.kept import Kept
from boxmask.evaluation.detection.failures.make_cases import CaseMaker
from boxmask.evaluation.detection.failures.matches import NONE, Matches
from boxmask.evaluation.failures.cases import Case
from boxmask.evaluation.failures.confusion import ConfusionMatrix

MAX_CASES = 100
"""Cases that are kept of one cell."""


def detection_confusion(
    dataset: DetectionDataset, matches: Matches, kept: Kept, maker: CaseMaker
) -> ConfusionMatrix:
    """Count each kept detection and each object once."""
    background = len(dataset.class_names)
    partner, ious = _partners(matches, kept)
    rows = matches.ranks[kept.detections[matches.ranks]]
    taken = np.zeros(len(dataset.labels), dtype=np.bool_)
    taken[partner[rows][partner[rows] != NONE]] = True
    missed = np.flatnonzero(matches.objects & ~taken)
    missed = missed[np.argsort(-dataset.areas[missed], kind="stable")]
    labeled = np.append(dataset.labels, background)[partner[rows]]  # NONE takes the last
    counts = np.zeros((background + 1, background + 1), dtype=np.int64)
    np.add.at(counts, (labeled, matches.labels[rows]), 1)
    np.add.at(counts[:, background], dataset.labels[missed], 1)
    cases: dict[tuple[int, int], list[Case]] = defaultdict(list)
    for detection, row, label in zip(rows.tolist(), partner[rows].tolist(), labeled.tolist(), strict=True):
        cell = cases[label, int(matches.labels[detection])]
        if len(cell) < MAX_CASES:
            cell.append(maker.detection(detection, row, float(ious[detection])))
    for row in missed.tolist():
        cell = cases[int(dataset.labels[row]), background]
        if len(cell) < MAX_CASES:
            cell.append(maker.missed(row))
    return ConfusionMatrix(dataset.class_names, counts, "objects", dict(cases))


def _partners(matches: Matches, kept: Kept) -> tuple[Int[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """The object of each detection, or NONE, and their IoU."""
    partner = np.where(kept.detections, matches.found, NONE)
    ious = matches.found_iou.copy()
    is_free = matches.objects & ~kept.found
    place = np.argsort(matches.ranks)
    pairs = matches.pairs
    open_pair = kept.detections[pairs[:, 0]] & (partner[pairs[:, 0]] == NONE) & is_free[pairs[:, 1]]
    pairs, overlaps = pairs[open_pair], matches.pair_ious[open_pair]
    for pair in np.lexsort((-overlaps, place[pairs[:, 0]])).tolist():
        detection, row = pairs[pair].tolist()
        if partner[detection] == NONE and is_free[row]:
            partner[detection], ious[detection], is_free[row] = row, overlaps[pair], False
    return partner, ious
