"""How far the results of a form are from those of PyTorch."""

from __future__ import annotations

import numpy as np
import torch

from boxmask.exporting.parity.detections import compare, from_model
from boxmask.exporting.parity.differences import Differences
from boxmask.geometry.boxes import iou
from boxmask.types import Classification, Detections, SegmentationMap

MIN_SCORE, MIN_IOU = 0.5, 0.5  # of objects that are compared in 8 bits

AnyResult = Detections | SegmentationMap | Classification


def compare_results(expected: AnyResult, found: AnyResult, config: object, is_int8: bool) -> Differences:
    """The differences on one photo.

    In 32 bits, objects are matched as after an export. In 8 bits, those with a score of at least 0.5 are
    matched if they have the same label and an IoU of at least 0.5.
    """
    if isinstance(expected, SegmentationMap):
        assert isinstance(found, SegmentationMap)
        differing = np.mean(np.asarray(expected.labels) != np.asarray(found.labels))
        return Differences(1, pixels=float(differing))
    if isinstance(expected, Classification):
        assert isinstance(found, Classification)
        apart = np.abs(np.asarray(expected.scores) - np.asarray(found.scores))
        return Differences(1, score=float(apart.max()))
    assert isinstance(found, Detections)
    if is_int8:
        return _compare_likely(expected, found)
    return compare(from_model(expected), from_model(found), config)


def _compare_likely(expected: Detections, found: Detections) -> Differences:
    """The differences of the objects that are probably there; either may find others with low scores."""
    first = expected[np.asarray(expected.scores) >= MIN_SCORE]
    free, total = np.ones(len(found), dtype=np.bool_), Differences(len(first))
    for row in range(len(first)):
        box, score = np.asarray(first.boxes)[row], float(first.scores[row])
        overlaps = iou(torch.from_numpy(box[None]), torch.from_numpy(np.asarray(found.boxes)))[0].numpy()
        counterparts = free & (np.asarray(found.labels) == first.labels[row]) & (overlaps >= MIN_IOU)
        if not counterparts.any():
            total |= Differences(mismatches=1)
            continue
        match = int(counterparts.argmax())  # that with the highest score, which comes first
        free[match] = False
        box_apart = float(np.abs(np.asarray(found.boxes)[match] - box).max())
        mask_iou = _mask_iou(first, row, found, match)
        total |= Differences(0, box_apart, abs(float(found.scores[match]) - score), mask_iou)
    extra = int((free & (np.asarray(found.scores) >= MIN_SCORE)).sum())
    return total | Differences(mismatches=extra)


def _mask_iou(first: Detections, row: int, second: Detections, match: int) -> float:
    """The IoU of two masks; 1 without masks."""
    if first.masks is None or second.masks is None:
        return 1.0
    a, b = first.masks[row : row + 1].dense()[0], second.masks[match : match + 1].dense()[0]
    union = (a | b).sum()
    return float((a & b).sum() / union) if union else 1.0
