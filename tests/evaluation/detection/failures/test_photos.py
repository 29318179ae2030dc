"""Photos whose labels are probably wrong stand on top."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from boxmask.evaluation.detection.failures.analyze import analyze_failures

CORNERS = [(x, y, x + 16, y + 16) for x in range(0, 100, 20) for y in range(0, 100, 20)]


def cats(count: int, score: float) -> list[tuple[Any, ...]]:
    return [("cat", score, box) for box in CORNERS[:count]]


def labels(count: int, first: int = 0) -> list[tuple[Any, ...]]:
    return [("cat", box) for box in CORNERS[first:count]]


def test_a_photo_with_a_forgotten_class_is_before_one_with_as_many_overlooked_objects(
    labeled: Callable, detected: Callable
) -> None:
    dataset = labeled(labels(20), labels(24, 4), [("dog", CORNERS[24])], labels(4))
    found = [detected(*cats(20, 0.6)), detected(*cats(24, 0.9)), detected(*cats(4, 0.9))]
    failures = analyze_failures(dataset, [*found, detected()])
    assert [photo.file for photo in failures.photos] == ["2.jpg", "1.jpg", "3.jpg", "0.jpg"]
    forgotten, overlooked, missed, right = failures.photos
    assert forgotten.suspicion == pytest.approx(4 * 0.9 * 2)
    assert overlooked.suspicion == pytest.approx(4 * 0.9 * (1 + 4 / 24))
    assert (missed.suspicion, missed.disagreement) == (0, 4)
    assert (right.suspicion, right.disagreement) == (0, 0)
    assert forgotten.description == "4 labels are probably missing (4 cat), 1 object is not found"
    assert missed.description == "4 objects are not found"
    assert right.description == "labels and detections agree"
    assert forgotten.is_suspect
    assert not missed.is_suspect


def test_a_label_of_a_class_that_the_detector_does_not_know_explains_detections(
    labeled: Callable, detected: Callable
) -> None:
    dataset = labeled(labels(20), [("cow", CORNERS[0])], class_names=("cat", "cow"))
    found = [detected(*cats(20, 0.6), class_names=("cat",)), detected(*cats(1, 0.9), class_names=("cat",))]
    assert analyze_failures(dataset, found).suspects == ()


def test_suspects_name_what_they_are_about(labeled: Callable, detected: Callable) -> None:
    moved = (0, 0, 12, 9)  # IoU 0.42 with the first corner
    dataset = labeled(labels(20), [("cat", CORNERS[0])], [("dog", CORNERS[0])])
    found = [detected(*cats(20, 0.6)), detected(("cat", 0.9, moved)), detected(*cats(1, 0.9))]
    failures = analyze_failures(dataset, found)
    by_kind = {suspect.kind: suspect.case for suspect in failures.suspects}
    assert set(by_kind) == {"wrong class", "bad box"}
    assert (by_kind["wrong class"].photo, by_kind["wrong class"].labeled) == (2, "dog")
    assert by_kind["wrong class"].predicted == "cat"
    assert (by_kind["bad box"].photo, by_kind["bad box"].row) == (1, 20)
    assert by_kind["bad box"].found_box == moved
    assert failures.to_dict()["suspects"]["missing"] == {"count": 0, "cases": []}
    assert failures.photos[0].description == "1 label is probably of the wrong class, 1 object is not found"
