"""The parts of the report: scales, matches, and the choice of photos."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from boxmask.comparison.contract import Comparison
from boxmask.comparison.report.differences import make_pairs
from boxmask.comparison.report.line_charts import ACROSS, precision_recall_charts
from boxmask.comparison.report.matches import match_photo
from boxmask.comparison.report.numbers import large, percent, short, signed
from boxmask.comparison.report.photo_choice import choose_photos
from boxmask.comparison.report.scales import fraction_scale, log_scale
from boxmask.comparison.report.speed_chart import make_speed_charts
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.contract import Interval
from boxmask.evaluation.detection.matching import match
from boxmask.evaluation.intervals.difference import Difference
from boxmask.geometry.boxes import iou
from boxmask.types import Detections

BOXES = [[10.0, 10, 60, 60], [80, 40, 150, 110]]


def found(boxes: list[list[float]], labels: list[int]) -> Detections:
    scores = np.linspace(0.9, 0.5, len(boxes), dtype=np.float32)
    names = ("cat", "<b>dog</b>")
    return Detections(np.array(boxes, np.float32), scores, np.array(labels), names, (120, 160))


def test_a_second_detection_of_an_object_is_wrong(dataset: DetectionDataset) -> None:
    matches = match_photo(dataset, 0, found([BOXES[0], BOXES[0], BOXES[1]], [0, 0, 0]), by_mask=False)
    assert matches.verdicts == ("right", "wrong", "wrong")
    assert matches.found_score.tolist() == pytest.approx([0.9, -1.0])


def test_detections_of_objects_that_do_not_count_are_ignored(dataset: DetectionDataset) -> None:
    crowd = dataset.crowd.copy()
    crowd[0] = True
    detections = found([[12, 12, 30, 30], [20, 20, 40, 40], BOXES[1]], [0, 0, 1])
    matches = match_photo(replace(dataset, crowd=crowd), 0, detections, by_mask=False)
    assert matches.verdicts == ("ignored", "ignored", "right")


def test_right_detections_are_those_of_the_metrics(dataset: DetectionDataset) -> None:
    """At IoU 0.5, each class as in COCO's matching."""
    noise = np.random.default_rng(1)
    nothing = np.zeros(1, np.bool_)
    counts = []
    for photo in range(len(dataset)):
        boxes = np.clip(np.array(BOXES * 2) + noise.normal(0, 12, (4, 4)), 0, 120)
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        labels = [0, 1, 0, 1]
        matches = match_photo(dataset, photo, found(boxes.tolist(), labels), by_mask=False)
        right = np.array([verdict == "right" for verdict in matches.verdicts])
        for label in (0, 1):
            detected = torch.from_numpy(boxes[label::2].astype(np.float32))
            overlaps = iou(detected, torch.tensor([BOXES[label]])).numpy()
            correct, _ = match(overlaps, nothing, nothing)
            assert correct[0].tolist() == right[label::2].tolist()
            counts.append(int(correct[0].sum()))
    assert 0 < sum(counts) < 2 * len(dataset)


def test_suspect_photos_come_first_then_disagreement_and_examples() -> None:
    files = [f"{index}.png" for index in range(9)]
    photos = [
        {"photo": index, "disagreement": float(index), "suspicion": 1.0 * (index == 2)} for index in range(9)
    ]
    cell = {"labeled": "cat", "predicted": "dog", "cases": [{"photo": 0}]}
    failures: dict[int, dict[str, Any]] = {0: {"photos": photos, "confusion": {"cells": [cell]}}}
    chosen = choose_photos(files, failures, max_photos=23)
    assert [photo.index for photo in chosen] == [2, 8, 7, 6, 5, 4, 3, 1, 0]
    few = choose_photos(files, failures, max_photos=4)
    assert len(few) == 4
    assert few[0].suspicion == 1.0
    assert 0 in {photo.index for photo in few}
    assert [photo.index for photo in choose_photos(files, {}, max_photos=2)] == [0, 1]


def test_scales_hold_their_values_and_have_round_ticks() -> None:
    scale = fraction_scale([0.51, 0.62], 300, 20)
    assert 20 <= scale(0.62) < scale(0.51) <= 300
    assert all(float(tick.text) in (0.5, 0.55, 0.6, 0.65, 0.45, 0.7) for tick in scale.ticks())
    times = log_scale([30.0, 31.0], 0, 100)
    assert 0 < times(30.0) < times(31.0) < 100
    assert len(times.ticks()) >= 3


def test_numbers_are_short() -> None:
    assert [short(value) for value in (1234.5, 92.04, 7.345, None)] == ["1,234", "92.0", "7.34", "–"]
    assert [large(value) for value in (3_700_000, 12_100_000_000, 999, None)] == [
        "3.70 M",
        "12.1 G",
        "999",
        "–",
    ]
    assert [percent(value) for value in (0.0, 0.041, 0.834, None)] == ["0 %", "4.1 %", "83 %", "–"]
    assert signed(-0.004) == "−0.004"


def test_curves_keep_their_ends() -> None:
    recalls = np.linspace(0, 1, 101).tolist()
    curve = {"recalls": recalls, "precision": {"cat": {"0.50": [1.0] * 50 + [0.5] * 51}}}
    [chart] = precision_recall_charts({0: {"curves": curve}}, ["fcos"], ["cat", "dog"])
    points = chart.lines[0].path.removeprefix("M").split("L")
    assert points[0].split()[0] == str(ACROSS(0.0))
    assert points[-1].split()[0] == str(ACROSS(1.0))
    assert len(points) < 6


def test_the_better_model_of_a_pair_comes_first(comparison: Comparison) -> None:
    worse = Difference("fcos", "ssd", "AP", -0.1, Interval(-0.2, -0.05), 0.001)
    pairs = make_pairs(replace(comparison, differences=(*comparison.differences, worse)))
    assert pairs is not None
    first = pairs.rows[0]
    assert (first.names, first.difference, first.verdict) == (("ssd", "fcos"), "+0.100", "pair.real")
    assert first.interval == "+0.050 – +0.200"
    assert pairs.rows[1].verdict == "pair.noise"


def test_names_in_the_chart_do_not_overlap(comparison: Comparison) -> None:
    model = comparison.models[1]
    models = tuple(replace(model, name=f"model-{number}") for number in range(5))
    for chart in make_speed_charts(replace(comparison, models=models)):
        lines = sorted(mark.y_label for mark in chart.marks if mark.x_label is not None)
        assert len(lines) == 5
        assert all(after - before >= 14 for before, after in pairwise(lines))
