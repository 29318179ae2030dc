"""How far a file agrees with itself before quantization, on photos without labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from boxmask.evaluation.detection.detect import PhotoDetector
from boxmask.exporting.int8.accuracy import Measure, Scores, Weights
from boxmask.exporting.int8.predictor import Predictor
from boxmask.geometry.boxes import iou
from boxmask.progress import Progress
from boxmask.types import Classification, Detections, SegmentationMap

METRIC = "agreement"
MIN_IOU, MIN_SCORE = 0.5, 0.5


def measure_agreement(photos: Sequence[Path], before: Predictor) -> Measure:
    """The share of the results that are the same before and after quantization.

    Of detections with a score of at least 0.5, the objects in both files: twice their number, divided by the
    sum of both numbers. Of label maps, the pixels. Of classifications, the photos.
    """
    detector = PhotoDetector(before)  # type: ignore[arg-type]
    expected = [detector.detect(photo) for photo in photos]

    def predict(predictor: Predictor, progress: Progress | None) -> Any:
        found = PhotoDetector(predictor)  # type: ignore[arg-type]
        counts = []
        for number, (photo, result) in enumerate(zip(photos, expected, strict=True), 1):
            counts.append(count_equal(result, found.detect(photo)))
            if progress is not None:
                progress(number, len(photos))
        return np.array(counts, dtype=np.float64)

    def score(counts: Any, weights: Weights) -> Scores:
        same, of = (weights @ counts).T
        return {METRIC: np.divide(same, of, out=np.ones_like(same), where=of > 0)}

    return Measure(len(photos), predict, score)


def count_equal(expected: Any, found: Any) -> tuple[float, float]:
    """What is equal in two results of a photo, and how much there is."""
    if isinstance(expected, SegmentationMap):
        return float((expected.labels == found.labels).sum()), float(expected.labels.size)
    if isinstance(expected, Classification):
        return float(expected.name == found.name), 1.0
    return count_equal_objects(expected, found)


def count_equal_objects(expected: Detections, found: Detections) -> tuple[float, float]:
    """Twice the objects in both, and the sum of both numbers."""
    first, second = (result[result.scores >= MIN_SCORE] for result in (expected, found))
    free, same = np.ones(len(second), dtype=np.bool_), 0
    for box, label in zip(first.boxes, first.labels, strict=True):
        overlaps = iou(torch.from_numpy(box[None]), torch.from_numpy(second.boxes))[0].numpy()
        ious = np.where(free & (second.labels == label), overlaps, 0.0)
        if ious.max(initial=0.0) >= MIN_IOU:
            free[ious.argmax()] = False
            same += 1
    return 2.0 * same, float(len(first) + len(second))
