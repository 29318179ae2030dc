"""How many objects of each size are found."""

from __future__ import annotations

import numpy as np

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.failures.analysis import SizeRecall
from boxmask.evaluation.detection.failures.kept import Kept
from boxmask.evaluation.detection.failures.matches import NONE, Matches

SIDES = (0, 16, 32, 64, 96, 192, 384)
"""Limits of the sizes in pixels. 32 and 96 are those of COCO's small, medium and large objects."""


def recall_by_size(dataset: DetectionDataset, matches: Matches, kept: Kept) -> tuple[SizeRecall, ...]:
    """The sizes that occur, the smallest first."""
    size_of = np.searchsorted(np.array(SIDES) ** 2, dataset.areas.astype(np.float64), side="right") - 1
    highs = (*SIDES[1:], None)
    sizes = []
    for size, (low, high) in enumerate(zip(SIDES, highs, strict=True)):
        objects = matches.objects & (size_of == size)
        if objects.any():
            found, found_kept = objects & (matches.found_by != NONE), objects & kept.found
            sizes.append(SizeRecall(low, high, int(objects.sum()), int(found.sum()), int(found_kept.sum())))
    return tuple(sizes)
