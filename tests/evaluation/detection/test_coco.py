import pytest

from boxmask.evaluation.detection.coco import ClassAP, coco_metrics

A, B = (10, 10, 30, 30), (50, 50, 90, 90)
NOWHERE = (70, 5, 95, 20)


def test_perfect_detections(labeled, detected):
    dataset = labeled([("cat", A), ("dog", B)], [("cat", B)])
    found = [detected(("cat", 0.9, A), ("dog", 0.8, B)), detected(("cat", 0.7, B))]
    metrics = coco_metrics(dataset, found)
    assert metrics.AP == metrics.AP50 == metrics.AP75 == metrics.AR100 == pytest.approx(1.0)
    assert metrics.per_class["dog"] == ClassAP(pytest.approx(1.0), pytest.approx(1.0), 1)
    assert metrics.APs == metrics.APm == pytest.approx(1.0)
    assert metrics.APl is None  # no object over 96² square pixels


def test_missed_and_wrong_detections(labeled, detected):
    dataset = labeled([("cat", A), ("cat", B)], [])
    assert coco_metrics(dataset, [detected(), detected()]).AP == 0.0
    assert coco_metrics(dataset, [detected(("cat", 0.9, A)), detected()]).AP == pytest.approx(51 / 101)
    wrong_first = [detected(("cat", 0.5, A), ("cat", 0.4, B)), detected(("cat", 0.9, A))]
    assert coco_metrics(dataset, wrong_first).AP50 == pytest.approx(2 / 3)


def test_imprecise_boxes_count_at_low_iou_only(labeled, detected):
    dataset = labeled([("cat", (0, 0, 10, 10))])
    metrics = coco_metrics(dataset, [detected(("cat", 0.9, (0, 0, 10, 7.2)))])  # IoU 0.72
    assert (metrics.AP50, metrics.AP75) == (pytest.approx(1.0), 0.0)
    assert metrics.AP == pytest.approx(0.5)  # 0.50, 0.55 .. 0.70


def test_crowd_region_takes_any_number_of_detections(labeled, detected):
    dataset = labeled([("cat", A), ("cat", (40, 40, 100, 100), "crowd")])
    found = [detected(("cat", 0.9, (45, 45, 60, 60)), ("cat", 0.8, (70, 70, 90, 95)), ("cat", 0.5, A))]
    metrics = coco_metrics(dataset, found)
    assert metrics.AP == pytest.approx(1.0)
    assert metrics.per_class["cat"].objects == 1


def test_difficult_object_counts_neither_for_nor_against(labeled, detected):
    dataset = labeled([("cat", A), ("cat", B, "difficult")])
    for found in (detected(("cat", 0.5, A)), detected(("cat", 0.9, B), ("cat", 0.5, A))):
        metrics = coco_metrics(dataset, [found])
        measured = [metrics.AP, metrics.AP50, metrics.APs, metrics.AR100]
        assert measured == pytest.approx([1.0] * 4)
        assert metrics.per_class["cat"].objects == 1


def test_difficult_object_is_matched_by_iou_unlike_a_crowd(labeled, detected):
    dataset = labeled([("cat", A), ("cat", B, "difficult")])
    inside = detected(("cat", 0.9, (60, 60, 70, 70)), ("cat", 0.5, A))
    assert coco_metrics(dataset, [inside]).AP50 == pytest.approx(0.5)


def test_size_bins_use_the_labeled_area(labeled, detected):
    dataset = labeled([("cat", B)])
    dataset.areas[:] = 500  # a thin mask in a box of 1,600
    metrics = coco_metrics(dataset, [detected(("cat", 0.9, B))])
    assert (metrics.APs, metrics.APm) == (pytest.approx(1.0), None)


def test_none_without_objects_or_photos(labeled, detected):
    assert coco_metrics(labeled([]), [detected(("cat", 0.9, A))]).AP is None
    empty = coco_metrics(labeled(), [])
    assert empty.AP is None
    assert empty.per_class["cat"] == ClassAP(None, None, 0)


def test_class_without_objects_is_not_in_the_mean(labeled, detected):
    metrics = coco_metrics(labeled([("cat", A)]), [detected(("cat", 0.9, A), ("dog", 0.8, B))])
    assert metrics.AP == pytest.approx(1.0)
    assert metrics.per_class["dog"] == ClassAP(None, None, 0)


def test_nothing_is_printed(labeled, detected, capfd):
    coco_metrics(labeled([("cat", A)], []), [detected(("cat", 0.9, A)), detected()])
    assert capfd.readouterr() == ("", "")


def test_wrong_number_of_photos_and_other_classes_are_refused(labeled, detected):
    dataset = labeled([("cat", A)], [])
    with pytest.raises(ValueError, match=r"expected one per photo \(2\), found 1"):
        coco_metrics(dataset, [detected()])
    with pytest.raises(ValueError, match="class names"):
        coco_metrics(dataset, [detected(), detected(class_names=("dog", "cat"))])
