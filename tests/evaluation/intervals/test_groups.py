from dataclasses import replace

import numpy as np

from boxmask.data.classification.dataset import NO_CONTEXT, crop_objects
from boxmask.data.draw import Draw
from boxmask.evaluation.classification.evaluate import evaluate_classifications
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.evaluation.intervals.compare import compare_results
from boxmask.evaluation.intervals.groups import item_groups, photo_groups
from boxmask.types import Classification

A = (10, 10, 30, 30)


def grouped(dataset, group_by):
    folders = np.array(["one/1.jpg", "two/1.jpg", "one/2.jpg", "two/2.jpg", "six/1.jpg", "six/2.jpg"])
    return replace(dataset, files=folders, draw=Draw(0, {}, group_by))


def test_groups_are_those_of_the_split(labeled):
    dataset = labeled(*([("cat", A)] for _ in range(6)))
    assert photo_groups(dataset) is None
    assert photo_groups(grouped(dataset, None)) is None
    assert photo_groups(grouped(dataset, "folder")).tolist() == [0, 1, 0, 1, 2, 2]
    assert photo_groups(grouped(dataset, "camera-([0-9]+)")) is None  # fits none of these photos


def test_photos_of_a_group_are_drawn_together_in_an_evaluation(labeled, detected):
    dataset = labeled(*([("cat", A)] for _ in range(6)))
    found = [detected(("cat", 0.9, A)), detected()] * 3
    apart = evaluate_detections(dataset, found)
    together = evaluate_detections(grouped(dataset, "folder"), found)
    assert (apart.ap_intervals.groups, together.ap_intervals.groups) == (6, 3)
    assert together["AP"] == apart["AP"]
    widths = [interval.high - interval.low for interval in (together.interval("AP"), apart.interval("AP"))]
    assert widths[0] > widths[1]


def test_items_belong_together_like_their_photos(labeled):
    photos = labeled(*([("cat", A)] * (1 + photo % 2) for photo in range(6)))
    dataset = crop_objects(photos, NO_CONTEXT)
    assert item_groups(dataset).tolist() == [0, 1, 1, 2, 3, 3, 4, 5, 5]
    folders = crop_objects(grouped(photos, "folder"), NO_CONTEXT)
    assert item_groups(folders).tolist() == [0, 1, 1, 0, 1, 1, 2, 2, 2]
    assert item_groups(folders.subset(np.array([7, 2]))).tolist() == [1, 0]


def test_accuracy_counts_photos_of_a_group_as_one(labeled):
    photos = labeled(*([("cat", A)] for _ in range(6)))
    apart, together = (crop_objects(each, NO_CONTEXT) for each in (photos, grouped(photos, "folder")))

    def classified(scores):
        return [Classification(np.array([cat, 1 - cat], dtype=np.float32), ("cat", "dog")) for cat in scores]

    found, other = classified([0.9, 0.1] * 2 + [0.9] * 2), classified([0.1, 0.1] * 2 + [0.9] * 2)
    evaluations = [evaluate_classifications(dataset, found) for dataset in (apart, together)]
    assert evaluations[0]["accuracy"] == evaluations[1]["accuracy"]
    lengths = [each.interval("accuracy").high - each.interval("accuracy").low for each in evaluations]
    assert lengths[1] > lengths[0]
    pairs = [compare_results(dataset, found, other) for dataset in (apart, together)]
    assert pairs[1].p_value > pairs[0].p_value
