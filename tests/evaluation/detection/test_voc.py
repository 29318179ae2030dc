from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxmask.evaluation.detection.voc import (
    CORRECT,
    NOT_COUNTED,
    WRONG,
    all_point_ap,
    eleven_point_ap,
    voc_metrics,
)

A, B, C = (10, 10, 30, 30), (50, 50, 90, 90), (5, 60, 25, 80)
NOWHERE = (70, 5, 95, 20)


def test_worked_example(labeled, detected):
    """Correct, wrong, correct for three objects: precision 1, 1/2, 2/3 at recall 1/3, 1/3, 2/3."""
    dataset = labeled([("cat", A), ("cat", B), ("cat", C)])
    found = [detected(("cat", 0.9, A), ("cat", 0.8, NOWHERE), ("cat", 0.7, B))]
    cat = voc_metrics(dataset, found).per_class["cat"]
    assert cat.AP_all == pytest.approx(1 / 3 * 1 + 1 / 3 * 2 / 3)
    # recall 0, .1, .2, .3 -> 1; .4, .5, .6 -> 2/3; .7 and on -> 0
    assert cat.AP_11 == pytest.approx((4 * 1 + 3 * 2 / 3) / 11)


def test_second_detection_of_an_object_is_wrong(labeled, detected):
    dataset = labeled([("cat", A), ("cat", B)])
    found = [detected(("cat", 0.9, A), ("cat", 0.8, (11, 10, 30, 30)), ("cat", 0.7, B))]
    assert voc_metrics(dataset, found).per_class["cat"].AP_all == pytest.approx(1 / 2 + 1 / 2 * 2 / 3)


def test_nearest_object_gets_the_detection_even_if_taken(labeled, detected):
    """As in the development kit: the second detection does not fall back to its second-best object."""
    dataset = labeled([("cat", (0, 0, 10, 10)), ("cat", (0, 2, 10, 12))])
    found = [detected(("cat", 0.9, (0, 0, 10, 10)), ("cat", 0.8, (0, 0.5, 10, 10.5)))]
    assert voc_metrics(dataset, found).per_class["cat"].AP_all == pytest.approx(1 / 2)


def test_difficult_objects_count_neither_for_nor_against(labeled, detected):
    dataset = labeled([("cat", A), ("cat", B, "difficult")])
    without = voc_metrics(dataset, [detected(("cat", 0.5, A))])
    twice = voc_metrics(dataset, [detected(("cat", 0.9, B), ("cat", 0.8, B), ("cat", 0.5, A))])
    assert without.AP_all == twice.AP_all == 1.0
    assert voc_metrics(dataset, [detected(("cat", 0.9, NOWHERE), ("cat", 0.5, A))]).AP_all == 0.5


def test_detections_in_a_crowd_region_are_ignored(labeled, detected):
    dataset = labeled([("cat", A), ("cat", (40, 40, 100, 100), "crowd")])
    found = [detected(("cat", 0.9, (50, 50, 60, 60)), ("cat", 0.8, (70, 70, 90, 95)), ("cat", 0.5, A))]
    assert voc_metrics(dataset, found).AP_all == 1.0


def test_iou_of_exactly_one_half_is_correct(labeled, detected):
    dataset = labeled([("cat", (0, 0, 10, 10))])
    assert voc_metrics(dataset, [detected(("cat", 0.9, (0, 0, 10, 5)))]).AP_all == 1.0
    assert voc_metrics(dataset, [detected(("cat", 0.9, (0, 0, 10, 4.99)))]).AP_all == 0.0


def test_other_photos_and_classes_do_not_match(labeled, detected):
    dataset = labeled([("cat", A)], [("dog", A)])
    assert voc_metrics(dataset, [detected(("dog", 0.9, A)), detected(("cat", 0.9, A))]).AP_all == 0.0


def test_none_without_objects(labeled, detected):
    dataset = labeled([("cat", A)], [])
    metrics = voc_metrics(dataset, [detected(("cat", 0.9, A)), detected(("dog", 0.9, B))])
    assert metrics.per_class["dog"].AP_all is None
    assert metrics.AP_all == metrics.AP_11 == 1.0
    assert voc_metrics(labeled([]), [detected()]).AP_11 is None


def test_classes_are_averaged(labeled, detected):
    """Cats: correct, wrong, correct of three. Dogs: wrong, then the only one. Cows: never detected."""
    names = ("cat", "dog", "cow")
    dataset = labeled([("cat", A), ("cat", B), ("cat", C), ("dog", A)], [("cow", A)], class_names=names)
    cats = [("cat", 0.9, A), ("cat", 0.8, NOWHERE), ("cat", 0.7, B)]
    dogs = [("dog", 0.9, B), ("dog", 0.2, A)]
    metrics = voc_metrics(dataset, [detected(*cats, *dogs, class_names=names), detected(class_names=names)])
    assert metrics.AP_all == pytest.approx((1 / 3 + 1 / 3 * 2 / 3 + 1 / 2 + 0) / 3)
    assert metrics.AP_11 == pytest.approx(((4 + 3 * 2 / 3) / 11 + 1 / 2 + 0) / 3)


def test_the_curve_never_rises_with_recall(labeled, detected):
    """Wrong, correct, correct, wrong, correct: precision 0, 1/2, 2/3, 1/2, 3/5. 2/3, 2/3 and 3/5 remain."""
    dataset = labeled([("cat", A), ("cat", B), ("cat", C)], [])
    found = [
        detected(("cat", 0.8, A), ("cat", 0.7, B), ("cat", 0.5, C)),
        detected(("cat", 0.9, A), ("cat", 0.6, B)),
    ]
    cat = voc_metrics(dataset, found).per_class["cat"]
    assert cat.AP_all == pytest.approx((2 / 3 + 2 / 3 + 3 / 5) / 3)
    assert cat.AP_11 == pytest.approx((7 * 2 / 3 + 4 * 3 / 5) / 11)  # recall 0 to 0.6, then 0.7 to 1


def test_equal_scores_are_in_the_order_of_the_photos(labeled, detected):
    right, wrong = ([("cat", A)], detected(("cat", 0.5, A))), ([], detected(("cat", 0.5, A)))
    for (first, second), expected in (((wrong, right), 1 / 2), ((right, wrong), 1)):
        dataset = labeled(first[0], second[0])
        assert voc_metrics(dataset, [first[1], second[1]]).AP_all == pytest.approx(expected)


def test_there_is_no_limit_of_100_detections(labeled, detected):
    strays = [("cat", 0.9, (60 + i / 10, 5, 80 + i / 10, 20)) for i in range(100)]
    found = [detected(*strays, ("cat", 0.5, A))]
    assert voc_metrics(labeled([("cat", A)]), found).AP_all == pytest.approx(1 / 101)


def test_boxes_smaller_than_a_pixel(labeled, detected):
    dataset = labeled([("cat", (10, 10, 10.25, 10.25)), ("cat", (20, 20, 20.5, 20.25))])
    found = [detected(("cat", 0.9, (10, 10, 10.25, 10.125)), ("cat", 0.8, (20, 20, 20.125, 20.25)))]
    assert voc_metrics(dataset, found).AP_all == pytest.approx(1 / 2)  # IoU 0.5 and 0.25


def test_recall_levels_are_compared_without_rounding():
    """3 of 10 objects is recall 0.3, although 0.1 + 0.1 + 0.1 > 0.3 in floating point."""
    assert eleven_point_ap(np.array([CORRECT] * 3), 10) == pytest.approx(4 / 11)


outcomes = st.lists(st.sampled_from([CORRECT, WRONG, NOT_COUNTED]), max_size=30)


@given(outcomes, st.integers(0, 5))
def test_all_point_ap_equals_a_direct_area(values, missed):
    """The sum, in exact fractions, of the best precision from each correct detection on."""
    objects = values.count(CORRECT) + missed
    counted = [value for value in values if value != NOT_COUNTED]
    precision = [Fraction(counted[: i + 1].count(CORRECT), i + 1) for i in range(len(counted))]
    area = sum(max(precision[i:]) for i, value in enumerate(counted) if value == CORRECT)
    expected = float(area / objects) if objects else None
    assert all_point_ap(np.array(values, dtype=np.int64), objects) == pytest.approx(expected)


@given(outcomes, st.integers(0, 5))
def test_eleven_point_ap_equals_its_definition(values, missed):
    objects = values.count(CORRECT) + missed
    counted = [value for value in values if value != NOT_COUNTED]
    curve = [
        (Fraction(n, objects), Fraction(n, i + 1))
        for i in range(len(counted))
        if objects and (n := counted[: i + 1].count(CORRECT)) >= 0
    ]
    levels = [max((p for r, p in curve if r >= Fraction(t, 10)), default=0) for t in range(11)]
    expected = float(Fraction(sum(levels), 11)) if objects else None
    assert eleven_point_ap(np.array(values, dtype=np.int64), objects) == pytest.approx(expected)


@given(st.integers(1, 40))
def test_perfect_detections_score_one(objects):
    assert (
        all_point_ap(np.full(objects, CORRECT), objects)
        == eleven_point_ap(np.full(objects, CORRECT), objects)
        == 1.0
    )
