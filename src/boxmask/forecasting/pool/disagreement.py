"""How much models disagree about a photo: the distance of their results, 0 to 1, averaged over all pairs.

Models that were trained on different parts of the labels disagree where the labels do not settle the answer:
query by committee, Seung, Opper and Sompolinsky, 1992.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch

from boxmask.geometry.boxes import iou
from boxmask.types import Classification, Detections, SegmentationMap

MIN_IOU = 0.5  # of two boxes that are the same object
MIN_SCORE = 0.05  # of detections that count
DOUBT = 1.0  # added to the denominator, so that a single faint box in an empty photo is no great disagreement


def disagreement(results: Sequence[Any]) -> float:
    """The mean distance of the results of several models for one photo; 0 for a single model."""
    pairs = list(combinations(results, 2))
    return float(np.mean([_distance(*pair) for pair in pairs])) if pairs else 0.0


def _distance(first: Any, second: Any) -> float:
    return _DISTANCES[type(first)](first, second)


def detection_distance(first: Detections, second: Detections) -> float:
    """One minus the shared score of the same objects, over all of the score.

    Objects of one class are the same if their boxes overlap by half; the best overlaps are matched first.
    """
    counted, others = first.scores >= MIN_SCORE, second.scores >= MIN_SCORE
    scores, other_scores = first.scores[counted], second.scores[others]
    boxes = (torch.from_numpy(np.ascontiguousarray(d.boxes)) for d in (first, second))
    ious = iou(*boxes).numpy()[counted][:, others]
    ious[first.labels[counted][:, None] != second.labels[others][None]] = 0.0
    total, shared = float(scores.sum() + other_scores.sum()), 0.0
    while ious.size and ious.max() >= MIN_IOU:
        row, column = np.unravel_index(int(ious.argmax()), ious.shape)
        shared += float(min(scores[row], other_scores[column]))
        ious[row], ious[:, column] = 0.0, 0.0
    return max(0.0, total - 2 * shared) / (total - shared + DOUBT)


def label_map_distance(first: SegmentationMap, second: SegmentationMap) -> float:
    """The share of the pixels that have different classes."""
    return float((first.labels != second.labels).mean())


def class_distance(first: Classification, second: Classification) -> float:
    """The total variation distance of the scores."""
    return float(np.abs(first.scores - second.scores).sum() / 2)


_DISTANCES: dict[type, Callable[[Any, Any], float]] = {
    Detections: detection_distance,
    SegmentationMap: label_map_distance,
    Classification: class_distance,
}
