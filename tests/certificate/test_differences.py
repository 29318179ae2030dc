"""How far results of a form are from those of PyTorch."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from boxmask.certificate.differences import compare_results
from boxmask.types import Classification, Detections, SegmentationMap

CONFIG = SimpleNamespace(score_threshold=0.05, detections_per_image=100)
NAMES = ("cat", "dog")


def detections(*rows: tuple[float, float, float, float, float, int]) -> Detections:
    """Objects of x1, y1, x2, y2, score and label."""
    table = np.array(rows, dtype=np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64), NAMES, (100, 100))


CAT, DOG = (10.0, 10.0, 30.0, 30.0, 0.9, 0), (50.0, 50.0, 80.0, 80.0, 0.6, 1)


def test_in_32_bits_objects_must_be_equal() -> None:
    moved = (10.0, 10.0, 33.0, 30.0, 0.9, 0)
    found = compare_results(detections(CAT, DOG), detections(moved, DOG), CONFIG, is_int8=False)
    assert (found.compared, found.mismatches, found.box) == (2, 2, 0.0)


def test_in_8_bits_objects_that_overlap_are_matched() -> None:
    moved, unlikely = (10.0, 10.0, 33.0, 30.0, 0.8, 0), (0.0, 0.0, 5.0, 5.0, 0.3, 0)
    found = compare_results(detections(CAT, DOG), detections(moved, DOG, unlikely), CONFIG, is_int8=True)
    assert (found.compared, found.mismatches) == (2, 0)
    assert found.box == pytest.approx(3.0)
    assert found.score == pytest.approx(0.1)


def test_in_8_bits_the_highest_score_counts() -> None:
    moved, double = (10.0, 10.0, 33.0, 30.0, 0.8, 0), (10.0, 10.0, 30.0, 31.0, 0.06, 0)
    found = compare_results(detections(CAT), detections(moved, double), CONFIG, is_int8=True)
    assert (found.box, found.score, found.mismatches) == (pytest.approx(3.0), pytest.approx(0.1), 0)


def test_in_8_bits_other_classes_and_new_objects_are_mismatches() -> None:
    other = (*CAT[:5], 1)
    found = compare_results(detections(CAT), detections(other), CONFIG, is_int8=True)
    assert (found.compared, found.mismatches) == (1, 2)
    nothing = compare_results(detections(), detections(), CONFIG, is_int8=True)
    assert (nothing.compared, nothing.mismatches) == (0, 0)


def test_label_maps_and_classes() -> None:
    first, second = np.zeros((10, 10), dtype=np.uint8), np.zeros((10, 10), dtype=np.uint8)
    second[0, 0] = 1
    maps = (SegmentationMap(labels, NAMES) for labels in (first, second))
    assert compare_results(*maps, CONFIG, is_int8=False).pixels == pytest.approx(0.01)
    scores = (
        Classification(np.array(values, dtype=np.float32), NAMES) for values in ([0.9, 0.1], [0.8, 0.2])
    )
    assert compare_results(*scores, CONFIG, is_int8=True).score == pytest.approx(0.1)
