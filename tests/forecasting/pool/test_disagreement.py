from __future__ import annotations

import numpy as np
import pytest

from boxmask.forecasting.pool.disagreement import disagreement
from boxmask.types import Classification, Detections, SegmentationMap

NAMES = ("cat", "dog")
HERE, THERE = (0, 0, 10, 10), (50, 50, 60, 60)


def detections(*found: tuple[tuple[int, ...], float, int]) -> Detections:
    boxes = np.array([box for box, _, _ in found], dtype=np.float32).reshape(-1, 4)
    scores = np.array([score for _, score, _ in found], dtype=np.float32)
    labels = np.array([label for _, _, label in found], dtype=np.int64)
    return Detections(boxes, scores, labels, NAMES, (100, 100))


def test_the_same_results_agree() -> None:
    one = detections((HERE, 0.9, 0), (THERE, 0.4, 1))
    assert disagreement([one, one, one]) == pytest.approx(0, abs=1e-6)
    assert disagreement([one]) == 0
    assert disagreement([detections(), detections()]) == 0


def test_other_places_classes_and_scores_disagree() -> None:
    here = detections((HERE, 0.9, 0))
    lower = disagreement([here, detections((HERE, 0.5, 0))])
    assert 0 < lower < disagreement([here, detections((HERE, 0.9, 1))])
    assert disagreement([here, detections((THERE, 0.9, 0))]) == pytest.approx(1.8 / 2.8)
    assert disagreement([here, detections((HERE, 0.9, 0), (HERE, 0.9, 0))]) > 0


def test_a_faint_box_is_no_great_disagreement() -> None:
    assert disagreement([detections(), detections((HERE, 0.06, 0))]) < 0.1
    assert disagreement([detections(), detections((HERE, 0.04, 0))]) == 0


def test_label_maps_and_classes() -> None:
    first, second = np.zeros((4, 4), dtype=np.uint8), np.zeros((4, 4), dtype=np.uint8)
    second[0] = 1
    assert disagreement([SegmentationMap(first, NAMES), SegmentationMap(second, NAMES)]) == 0.25
    scores = [np.array(pair, dtype=np.float32) for pair in ((1, 0), (0.25, 0.75))]
    assert disagreement([Classification(pair, NAMES) for pair in scores]) == pytest.approx(0.75)
