"""COCO's metrics equal pycocotools for all small scenes, with ties and sizes at the limits of the bins."""

from __future__ import annotations

import contextlib
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.coco import coco_metrics
from boxmask.evaluation.detection.failures.error_types import find_errors, lost_ap
from boxmask.evaluation.detection.failures.matches import NONE, match_detections
from boxmask.types import Detections

CLASSES = ("ant", "bee")
METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
SIDE = 128

# 32 * 32 and 96 * 96 are the limits of the size bins; a side of 0 makes a box without area
corners = st.sampled_from([0, 8, 16])
sides = st.sampled_from([8, 16, 32, 48, 96, 100])
detected_sides = st.sampled_from([0, 8, 16, 32, 33, 95, 96, 100])
labels = st.integers(0, 1)
objects = st.lists(st.tuples(corners, corners, sides, sides, labels, st.booleans()), max_size=5)
found = st.lists(
    st.tuples(corners, corners, detected_sides, detected_sides, labels, st.integers(0, 3)), max_size=8
)
scenes = st.lists(st.tuples(objects, found), min_size=1, max_size=4)
Scene = list[tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]]


def dataset_of(scene: Scene) -> DetectionDataset:
    rows = [row for objects, _ in scene for row in objects]
    values = np.array([row[:5] for row in rows], dtype=np.int64).reshape(-1, 5)
    boxes = np.concatenate([values[:, :2], values[:, :2] + values[:, 2:4]], axis=1).astype(np.float32)
    return DetectionDataset(
        root=Path("things"),
        class_names=CLASSES,
        files=np.array([f"{i}.jpg" for i in range(len(scene))]),
        image_ids=np.arange(len(scene))[::-1] * 7,
        sizes=np.full((len(scene), 2), SIDE, dtype=np.int32),
        splits=np.full(len(scene), "test"),
        offsets=np.cumsum([0, *(len(objects) for objects, _ in scene)]).astype(np.int64),
        boxes=boxes,
        labels=values[:, 4],
        areas=values[:, 2:4].prod(axis=1).astype(np.float32),
        crowd=np.array([row[5] for row in rows], dtype=bool),
        difficult=np.zeros(len(rows), dtype=bool),
    )


def detections_of(rows: list[tuple[Any, ...]]) -> Detections:
    """The detections by score, ties in the given order."""
    rows = sorted(rows, key=lambda row: -row[5])
    values = torch.tensor(rows, dtype=torch.float32).reshape(-1, 6)
    boxes = torch.cat([values[:, :2], values[:, :2] + values[:, 2:4]], dim=1)
    return Detections(boxes, values[:, 5] / 3, values[:, 4].long(), CLASSES, (SIDE, SIDE))


def stats_of_pycocotools(scene: Scene, image_ids: list[int]) -> list[float]:
    truth, results, annotations = COCO(), [], []
    for image_id, (objects, rows) in zip(image_ids, scene, strict=True):
        for x, y, width, height, label, crowd in objects:
            box = {"bbox": [x, y, width, height], "area": width * height, "iscrowd": int(crowd)}
            ids = {"id": len(annotations) + 1, "image_id": image_id, "category_id": label + 1}
            annotations.append({**ids, **box})
        for x, y, width, height, label, score in sorted(rows, key=lambda row: -row[5]):
            ids = {"image_id": image_id, "category_id": label + 1}
            results.append({**ids, "bbox": [x, y, width, height], "score": score / 3})
    truth.dataset = {
        "images": [{"id": image_id, "height": SIDE, "width": SIDE} for image_id in image_ids],
        "categories": [{"id": k + 1, "name": name} for k, name in enumerate(CLASSES)],
        "annotations": annotations,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(results) if results else COCO(), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [float(value) for value in run.stats]


ANT, BEE = 0, 1


@given(scenes)
@example([([(0, 0, 32, 32, ANT, False)], [(0, 0, 32, 32, ANT, 3)])])  # in both bins: small and medium
@example([([(0, 0, 96, 96, ANT, False)], [(0, 0, 96, 96, ANT, 3)])])  # medium and large
@example([([(0, 0, 96, 96, ANT, True)], [(0, 0, 16, 16, ANT, 3)] * 3)])  # a crowd alone
@example([([(0, 0, 8, 8, ANT, False)], [(0, 0, 0, 8, ANT, 3), (0, 0, 8, 8, ANT, 3)])])  # without area
@example([([(0, 0, 8, 8, ANT, False)] * 2, [(0, 0, 8, 8, ANT, 1)] * 3)])  # twins of one score
@example(
    [([(0, 0, 48, 48, ANT, False)], [(8, 8, 8, 8, ANT, 2)] * 99 + [(0, 0, 48, 48, ANT, 1)])]
)  # the 100th
@example(
    [([(0, 0, 48, 48, ANT, False)], [(8, 8, 8, 8, ANT, 2)] * 100 + [(0, 0, 48, 48, ANT, 1)])]
)  # the 101st
@example([([(0, 0, 48, 48, BEE, False)], [(0, 0, 48, 48, ANT, 3)]), ([], [(0, 0, 8, 8, BEE, 3)])])
@settings(deadline=None, max_examples=60)
def test_the_twelve_metrics_equal_pycocotools(scene: Scene) -> None:
    if not any(rows for _, rows in scene):
        scene = [*scene, ([], [(0, 0, 8, 8, ANT, 1)])]  # pycocotools cannot load an empty list of results
    dataset = dataset_of(scene)
    metrics = asdict(coco_metrics(dataset, [detections_of(rows) for _, rows in scene]))
    for name, value in zip(METRICS, stats_of_pycocotools(scene, dataset.image_ids.tolist()), strict=True):
        assert metrics[name] == (None if value == -1 else pytest.approx(value, abs=1e-6)), name


@given(scenes, st.integers(0, 3))
@example([([(0, 0, 8, 8, ANT, False)] * 2, [(0, 0, 8, 8, ANT, 1)] * 3)], 1)
@example([([(0, 0, 96, 96, ANT, True)], [(0, 0, 16, 16, ANT, 3)] * 3)], 1)
@example([([(0, 0, 48, 48, BEE, False)], [(8, 8, 8, 8, BEE, 2)] * 100 + [(0, 0, 48, 48, BEE, 1)])], 1)
@settings(max_examples=60)
def test_the_analysis_of_failures_matches_as_coco(scene: Scene, difficult: int) -> None:
    """The same AP50, with every third object difficult."""
    dataset = dataset_of(scene)
    dataset.difficult[difficult::3] = True
    detections = [detections_of(rows) for _, rows in scene]
    matches = match_detections(dataset, detections)
    lost = lost_ap(matches, find_errors(matches), dataset.labels)
    expected = coco_metrics(dataset, detections).AP50
    assert (None if lost is None else lost.AP50) == (
        None if expected is None else pytest.approx(expected, abs=1e-12)
    )
    is_found = matches.found != NONE
    assert (matches.found_by[matches.found[is_found]] == np.flatnonzero(is_found)).all()
    assert not (is_found & ~matches.counted).any()
    assert lost is None or min(*lost.by_type, lost.missed, lost.all_wrong, lost.all_missed) >= 0
