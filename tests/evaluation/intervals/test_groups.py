from dataclasses import replace

import numpy as np

from boxmask.data.draw import Draw
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.evaluation.intervals.groups import photo_groups

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
