"""Detections beside the labels of one photo."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from boxmask.evaluation.suspicions.photo_comparison import (
    UNKNOWN,
    Contradiction,
    FoundObjects,
    LabeledObjects,
    PhotoComparison,
    ious,
)

CAT, DOG = 0, 1
Box = tuple[float, float, float, float]
A: Box = (10, 10, 50, 50)
NEAR_A: Box = (12, 10, 52, 50)
HALF_OFF_A: Box = (25, 10, 65, 50)
B: Box = (100, 10, 140, 50)


def compare(
    found: Sequence[tuple[int, Box, float]], labels: Sequence[tuple[int, Box]], ignored: Sequence[int] = ()
) -> PhotoComparison:
    """found: class, box and score, highest score first; ignored: indices of labels"""
    return PhotoComparison(
        FoundObjects(
            np.array([box for _, box, _ in found], dtype=np.float64).reshape(-1, 4),
            np.array([score for _, _, score in found], dtype=np.float64),
            np.array([label for label, _, _ in found], dtype=np.int64),
        ),
        LabeledObjects(
            np.array([box for _, box in labels], dtype=np.float64).reshape(-1, 4),
            np.array([label for label, _ in labels], dtype=np.int64),
            np.isin(np.arange(len(labels)), ignored),
        ),
    )


def test_ious() -> None:
    boxes = np.array([A, B], dtype=np.float64)
    others = np.array([A, HALF_OFF_A, (10, 10, 30, 50)], dtype=np.float64)
    assert ious(boxes, others) == pytest.approx(np.array([[1, 25 / 55, 0.5], [0, 0, 0]]))


def test_sound_labels_raise_no_suspicion() -> None:
    comparison = compare([(CAT, A, 0.9), (DOG, B, 0.8)], [(CAT, NEAR_A), (DOG, B)])
    assert list(comparison.missing()) == []
    assert list(comparison.wrong_classes()) == []
    assert [found.iou > 0.8 for found in comparison.bad_boxes()] == [True, True]


def test_photos_without_labels_or_detections() -> None:
    for comparison in (compare([], []), compare([], [(CAT, A)])):
        found = comparison.missing(), comparison.wrong_classes(), comparison.bad_boxes(), comparison.matches()
        assert [list(each) for each in found] == [[], [], [], []]
    comparison = compare([(CAT, A, 0.9)], [])
    assert list(comparison.missing()) == [Contradiction(0)]
    assert list(comparison.wrong_classes()) == list(comparison.bad_boxes()) == []


# ---------------------------------------------------------------- matches


def test_the_highest_score_takes_the_object_that_it_overlaps_most() -> None:
    comparison = compare([(CAT, NEAR_A, 0.9), (CAT, A, 0.8)], [(CAT, A), (CAT, HALF_OFF_A)])
    assert [(detection, number) for detection, number, _ in comparison.matches()] == [(0, 0)]


def test_other_classes_and_ignored_objects_are_no_matches() -> None:
    found = [(DOG, A, 0.9), (CAT, B, 0.8)]
    assert list(compare(found, [(CAT, A), (CAT, B)], ignored=[1]).matches()) == []


# ---------------------------------------------------------------- missing labels


def test_a_detection_far_from_all_labels_is_an_object_without_label() -> None:
    assert list(compare([(CAT, B, 0.9)], [(CAT, A)]).missing()) == [Contradiction(0)]


def test_a_label_of_any_class_explains_a_detection() -> None:
    for label in (DOG, UNKNOWN):
        assert list(compare([(CAT, A, 0.9)], [(label, HALF_OFF_A)]).missing()) == []


def test_each_place_is_reported_once() -> None:
    found = [(CAT, A, 0.9), (DOG, NEAR_A, 0.8), (DOG, B, 0.7)]
    assert list(compare(found, []).missing()) == [Contradiction(0), Contradiction(2)]


def test_crowds_and_difficult_objects_hold_unlabeled_objects() -> None:
    crowd: Box = (0, 0, 300, 300)
    assert list(compare([(CAT, A, 0.9)], [(DOG, crowd)], ignored=[0]).missing()) == []
    assert list(compare([(CAT, A, 0.9)], [(DOG, crowd)]).missing()) == [Contradiction(0)]


def test_parts_and_groups_of_labeled_objects_are_no_objects() -> None:
    part: Box = (12, 12, 22, 22)
    group: Box = (0, 0, 200, 100)
    for box in (part, group):
        assert list(compare([(CAT, box, 0.9)], [(CAT, A)]).missing()) == []
        assert list(compare([(DOG, box, 0.9)], [(CAT, A)]).missing()) == [Contradiction(0)]


# ---------------------------------------------------------------- wrong classes


def test_another_class_at_the_place_of_a_label() -> None:
    [found] = compare([(DOG, NEAR_A, 0.9)], [(CAT, A)]).wrong_classes()
    assert (found.detection, found.number, found.own_score) == (0, 0, 0.0)
    assert found.iou == pytest.approx(38 / 42)


def test_the_labeled_class_may_be_found_with_a_lower_score() -> None:
    [found] = compare([(DOG, A, 0.9), (CAT, NEAR_A, 0.2)], [(CAT, A)]).wrong_classes()
    assert found.own_score == 0.2
    assert list(compare([(CAT, NEAR_A, 0.9), (DOG, A, 0.8)], [(CAT, A)]).wrong_classes()) == []


def test_no_wrong_class_where_it_cannot_be_told() -> None:
    dog = [(DOG, A, 0.9)]
    assert list(compare(dog, [(CAT, HALF_OFF_A)]).wrong_classes()) == []  # elsewhere
    assert list(compare(dog, [(UNKNOWN, A)]).wrong_classes()) == []
    assert list(compare(dog, [(CAT, A)], ignored=[0]).wrong_classes()) == []
    assert list(compare(dog, [(CAT, A), (DOG, NEAR_A)]).wrong_classes()) == []  # it finds its own label


# ---------------------------------------------------------------- bad boxes


def test_the_surest_detection_tells_where_the_object_is() -> None:
    [found] = compare([(CAT, HALF_OFF_A, 0.9), (CAT, A, 0.3)], [(CAT, A)]).bad_boxes()
    assert (found.detection, found.number) == (0, 0)
    assert found.iou == pytest.approx(25 / 55)


def test_a_detection_that_fits_another_label_accuses_none() -> None:
    found = [(CAT, HALF_OFF_A, 0.9)]
    assert [one.number for one in compare(found, [(CAT, A), (DOG, HALF_OFF_A)]).bad_boxes()] == []


def test_a_detection_around_several_objects_accuses_none() -> None:
    group: Box = (10, 10, 90, 50)
    neighbor: Box = (55, 10, 90, 50)
    assert list(compare([(CAT, group, 0.9)], [(CAT, A), (CAT, neighbor)]).bad_boxes()) == []
    assert [one.number for one in compare([(CAT, group, 0.9)], [(CAT, A)]).bad_boxes()] == [0]
