"""COCO's metrics of masks equal pycocotools for all small scenes, with ties, crowds and empty masks."""

from __future__ import annotations

import contextlib
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.coco import coco_metrics
from boxmask.geometry import rle
from boxmask.masks import Masks
from boxmask.types import Detections

CLASSES = ("ant", "bee")
METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
SIDE = 128
ANT, BEE = 0, 1

# 32 * 32 and 96 * 96 are the limits of the size bins; every shape of side 1 is one pixel
shapes = st.sampled_from(["full", "stairs", "frame"])
corners = st.sampled_from([0, 8, 16])
sides = st.sampled_from([1, 8, 32, 48, 96, 100])
detected_sides = st.sampled_from([0, 1, 8, 32, 33, 48, 96, 100])
labels = st.integers(ANT, BEE)
objects = st.lists(st.tuples(shapes, corners, corners, sides, labels, st.booleans()), max_size=4)
found = st.lists(st.tuples(shapes, corners, corners, detected_sides, labels, st.integers(0, 3)), max_size=6)
scenes = st.lists(st.tuples(objects, found), min_size=1, max_size=3)
Scene = list[tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]]


def dense(row: tuple[Any, ...]) -> np.ndarray:
    """The pixels of a shape: (SIDE, SIDE) bool."""
    shape, x, y, side = row[:4]
    window = np.ones((side, side), dtype=bool)
    if shape == "stairs":
        window = np.tri(side, dtype=bool)
    elif shape == "frame":
        window[2:-2, 2:-2] = False
    pixels = np.zeros((SIDE, SIDE), dtype=bool)
    pixels[y : y + side, x : x + side] = window
    return pixels


def masks_of(rows: list[tuple[Any, ...]]) -> Masks:
    return Masks.from_dense(np.array([dense(row) for row in rows], dtype=bool).reshape(-1, SIDE, SIDE))


def dataset_of(scene: Scene) -> DetectionDataset:
    rows = [row for in_photo, _ in scene for row in in_photo]
    masks = masks_of(rows)
    runs = rle.encode(masks)
    return DetectionDataset(
        root=Path("things"),
        class_names=CLASSES,
        files=np.array([f"{i}.jpg" for i in range(len(scene))]),
        image_ids=np.arange(len(scene))[::-1] * 7,
        sizes=np.full((len(scene), 2), SIDE, dtype=np.int32),
        splits=np.full(len(scene), "test"),
        offsets=np.cumsum([0, *(len(in_photo) for in_photo, _ in scene)]).astype(np.int64),
        boxes=masks.boxes().astype(np.float32),
        labels=np.array([row[4] for row in rows], dtype=np.int64),
        areas=np.array([dense(row).sum() for row in rows], dtype=np.float32),
        crowd=np.array([row[5] for row in rows], dtype=bool),
        difficult=np.zeros(len(rows), dtype=bool),
        runs=np.concatenate([np.zeros(0), *runs]).astype(np.int32),
        run_offsets=np.cumsum([0, *map(len, runs)]),
    )


def detections_of(rows: list[tuple[Any, ...]]) -> Detections:
    """The detections by score, ties in the given order."""
    rows = sorted(rows, key=lambda row: -row[5])
    masks = masks_of(rows)
    scores = np.array([row[5] / 3 for row in rows], dtype=np.float32)
    found_labels = np.array([row[4] for row in rows], dtype=np.int64)
    return Detections(masks.boxes().astype(np.float32), scores, found_labels, CLASSES, (SIDE, SIDE), masks)


def stats_of_pycocotools(scene: Scene, image_ids: list[int]) -> list[float]:
    truth, results, annotations = COCO(), [], []
    for image_id, (in_photo, rows) in zip(image_ids, scene, strict=True):
        for row in in_photo:
            area = float(dense(row).sum())
            shape = {"segmentation": runs_of(row), "bbox": [0, 0, 1, 1], "area": area, "iscrowd": int(row[5])}
            ids = {"id": len(annotations) + 1, "image_id": image_id, "category_id": row[4] + 1}
            annotations.append({**ids, **shape})
        for row in sorted(rows, key=lambda each: -each[5]):
            ids = {"image_id": image_id, "category_id": row[4] + 1}
            score = float(np.float32(row[5] / 3))
            results.append({**ids, "segmentation": runs_of(row), "score": score})
    truth.dataset = {
        "images": [{"id": image_id, "height": SIDE, "width": SIDE} for image_id in image_ids],
        "categories": [{"id": k + 1, "name": name} for k, name in enumerate(CLASSES)],
        "annotations": annotations,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(results), "segm")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [float(value) for value in run.stats]


def runs_of(row: tuple[Any, ...]) -> dict[str, Any]:
    encoded: dict[str, Any] = coco_mask.encode(np.asfortranarray(dense(row).astype(np.uint8)))
    return encoded


@given(scenes)
@example([([("full", 0, 0, 32, ANT, False)], [("full", 0, 0, 32, ANT, 3)])])  # in both bins: small and medium
@example([([("stairs", 0, 0, 96, ANT, True)], [("full", 0, 0, 8, ANT, 3)] * 3)])  # a crowd alone
@example([([("full", 0, 0, 8, ANT, False)], [("full", 0, 0, 0, ANT, 3), ("full", 0, 0, 8, ANT, 3)])])  # empty
@example([([("full", 0, 0, 8, ANT, False)] * 2, [("full", 0, 0, 8, ANT, 1)] * 3)])  # twins of one score
@example(
    [([("frame", 0, 0, 48, ANT, False)], [("full", 8, 8, 8, ANT, 2)] * 100 + [("frame", 0, 0, 48, ANT, 1)])]
)  # the 101st
@example(
    [([("full", 0, 0, 48, BEE, False)], [("full", 0, 0, 48, ANT, 3)]), ([], [("frame", 0, 0, 8, BEE, 3)])]
)
@settings(max_examples=40)
def test_the_twelve_metrics_of_masks_equal_pycocotools(scene: Scene) -> None:
    if not any(rows for _, rows in scene):
        scene = [
            *scene,
            ([], [("full", 0, 0, 8, ANT, 1)]),
        ]  # pycocotools cannot load an empty list of results
    dataset = dataset_of(scene)
    metrics = asdict(coco_metrics(dataset, [detections_of(rows) for _, rows in scene], "segm"))
    for name, value in zip(METRICS, stats_of_pycocotools(scene, dataset.image_ids.tolist()), strict=True):
        assert metrics[name] == (None if value == -1 else pytest.approx(value, abs=1e-6)), name
