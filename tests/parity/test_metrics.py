"""COCO's metrics equal pycocotools, and VOC's an independent implementation."""

import contextlib
import io
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.coco import coco_metrics
from boxmask.evaluation.detection.voc import voc_metrics
from boxmask.types import Detections

CLASSES = ("ant", "bee", "cow", "never labeled")
METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
SEEDS = range(6)


def scene(seed: int) -> tuple[DetectionDataset, list[Detections]]:
    """Forty photos with crowds, difficult objects and equal scores; some empty, some with over 100 boxes."""
    rng = np.random.default_rng(seed)
    photos = 40
    counts = rng.integers(0, 12, photos) * (rng.random(photos) > 0.2)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    boxes = random_boxes(rng, int(offsets[-1]))
    dataset = DetectionDataset(
        root=Path("things"),
        class_names=CLASSES,
        files=np.array([f"{i}.jpg" for i in range(photos)]),
        image_ids=rng.choice(500, photos, replace=False),  # with gaps, unordered, may be 0
        sizes=np.full((photos, 2), 400, dtype=np.int32),
        splits=np.full(photos, "test"),
        offsets=offsets,
        boxes=boxes,
        labels=rng.integers(0, 3, len(boxes)),
        areas=((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) * rng.uniform(0.4, 1.0, len(boxes))).astype(
            np.float32
        ),
        crowd=rng.random(len(boxes)) < 0.1,
        difficult=np.zeros(len(boxes), dtype=bool),
    )
    return dataset, [random_detections(rng, dataset, photo) for photo in range(photos)]


def random_boxes(rng: np.random.Generator, n: int) -> np.ndarray:
    corner = rng.uniform(0, 250, (n, 2))
    return np.concatenate([corner, corner + rng.uniform(8, 150, (n, 2))], axis=1).astype(np.float32)


def random_detections(rng: np.random.Generator, dataset: DetectionDataset, photo: int) -> Detections:
    """Shifted copies of most objects, some twice, and random boxes: 150 in every fifth photo."""
    rows = dataset.rows(photo)
    copies = np.repeat(np.arange(rows.start, rows.stop), rng.integers(0, 3, rows.stop - rows.start))
    strays = random_boxes(rng, 150 if photo % 5 == 0 else int(rng.integers(0, 4)))
    shift = rng.normal(0, 4, (len(copies), 4))
    boxes = np.concatenate([dataset.boxes[copies] + shift, strays]).clip(0, 400)
    labels = np.concatenate([dataset.labels[copies], rng.integers(0, 4, len(strays))])
    if len(strays) == 150:
        labels[len(copies) :] = 1  # more than 100 of one class
    scores = np.round(rng.random(len(boxes)), 1)
    by_score = np.argsort(-scores, kind="stable")
    return Detections(
        torch.tensor(boxes[by_score], dtype=torch.float32),
        torch.tensor(scores[by_score], dtype=torch.float32),
        torch.tensor(labels[by_score], dtype=torch.int64),
        CLASSES,
        (400, 400),
    )


def in_pycocotools(dataset: DetectionDataset, detections: list[Detections]) -> COCOeval:
    photo_of = np.repeat(np.arange(len(dataset)), np.diff(dataset.offsets))
    truth, results = COCO(), []
    truth.dataset = {
        "images": [{"id": int(i), "height": 400, "width": 400} for i in dataset.image_ids],
        "categories": [{"id": k + 1, "name": name} for k, name in enumerate(CLASSES)],
        "annotations": [
            {
                "id": i + 1,
                "image_id": int(dataset.image_ids[photo_of[i]]),
                "category_id": int(dataset.labels[i]) + 1,
                "bbox": xywh(dataset.boxes[i]),
                "area": float(dataset.areas[i]),
                "iscrowd": int(dataset.crowd[i]),
            }
            for i in range(len(dataset.boxes))
        ],
    }
    for image, found in zip(dataset.image_ids.tolist(), detections, strict=True):
        for box, score, label in zip(found.boxes, found.scores.tolist(), found.labels.tolist(), strict=True):
            results.append({"image_id": image, "category_id": label + 1, "bbox": xywh(box), "score": score})
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(results), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run


def xywh(box: np.ndarray) -> list[float]:
    x1, y1, x2, y2 = box.astype(float)
    return [x1, y1, x2 - x1, y2 - y1]


@pytest.mark.parametrize("seed", SEEDS)
def test_coco_equals_pycocotools(seed):
    dataset, detections = scene(seed)
    theirs = in_pycocotools(dataset, detections)
    ours = coco_metrics(dataset, detections)
    values = asdict(ours)
    for name, value in zip(METRICS, theirs.stats, strict=True):
        expected = None if value == -1 else pytest.approx(value, abs=1e-6)
        assert values[name] == expected, name
    precision = theirs.eval["precision"][..., 0, -1]
    for k, name in enumerate(CLASSES[:3]):
        assert ours.per_class[name].AP == pytest.approx(precision[:, :, k].mean(), abs=1e-6)
        assert ours.per_class[name].AP50 == pytest.approx(precision[0, :, k].mean(), abs=1e-6)
    assert ours.per_class["never labeled"].AP is None


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_boxes_smaller_than_a_pixel_equal_pycocotools(seed):
    dataset, detections = scene(seed)
    tiny = replace(dataset, boxes=dataset.boxes / 512, areas=dataset.areas / 512**2)
    found = [replace(in_photo, boxes=in_photo.boxes / 512) for in_photo in detections]
    ours, theirs = asdict(coco_metrics(tiny, found)), in_pycocotools(tiny, found).stats
    for name, value in zip(METRICS, theirs, strict=True):
        assert ours[name] == (None if value == -1 else pytest.approx(value, abs=1e-6)), name
    assert ours["AP"] == ours["APs"] > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_difficult_objects_equal_pycocotools_that_ignores_them(seed):
    """pycocotools with `_prepare` corrected to honor the `ignore` of an annotation."""
    dataset, detections = scene(seed)
    dataset.difficult[:] = np.random.default_rng(seed).random(len(dataset.boxes)) < 0.2
    dataset.difficult[dataset.crowd] = False

    class HonorsIgnore(COCOeval):
        def _prepare(self):
            super()._prepare()
            for entries in self._gts.values():
                for entry in entries:
                    entry["ignore"] = entry["ignore"] or dataset.difficult[entry["id"] - 1]

    plain = in_pycocotools(dataset, detections)
    with contextlib.redirect_stdout(io.StringIO()):
        run = HonorsIgnore(plain.cocoGt, plain.cocoDt, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    values = asdict(coco_metrics(dataset, detections))
    assert [values[name] for name in METRICS] == pytest.approx(run.stats.tolist(), abs=1e-6)
    assert run.stats[0] != pytest.approx(plain.stats[0], abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_voc_equals_the_development_kit(seed):
    dataset, detections = scene(seed)
    dataset.crowd[:] = False
    dataset.difficult[:] = np.random.default_rng(seed).random(len(dataset.boxes)) < 0.2
    ours = voc_metrics(dataset, detections)
    for k, name in enumerate(CLASSES[:3]):
        assert ours.per_class[name].AP_all == pytest.approx(kit_ap(dataset, detections, k), abs=1e-9)


def kit_ap(dataset: DetectionDataset, detections: list[Detections], k: int) -> float:
    """VOCevaldet.m and VOCap.m, loop by loop, in plain Python."""
    ranked = sorted(
        (
            (-score, photo, i, box)
            for photo, found in enumerate(detections)
            for i, (box, score, label) in enumerate(
                zip(found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True)
            )
            if label == k
        ),
        key=lambda entry: entry[:3],
    )
    taken: dict[int, bool] = defaultdict(bool)
    correct = wrong = 0
    positives = sum((dataset.labels == k) & ~dataset.difficult)
    recall, precision = [0.0], [0.0]
    for _, photo, _, box in ranked:
        best, row = 0.0, -1
        for candidate in range(dataset.offsets[photo], dataset.offsets[photo + 1]):
            if dataset.labels[candidate] == k and plain_iou(box, dataset.boxes[candidate].tolist()) > best:
                best, row = plain_iou(box, dataset.boxes[candidate].tolist()), candidate
        if best >= 0.5 and dataset.difficult[row]:
            continue
        if best >= 0.5 and not taken[row]:
            taken[row] = True
            correct += 1
        else:
            wrong += 1
        recall.append(correct / positives)
        precision.append(correct / (correct + wrong))
    recall.append(1.0)
    precision.append(0.0)
    for i in reversed(range(len(precision) - 1)):
        precision[i] = max(precision[i], precision[i + 1])
    return sum((recall[i] - recall[i - 1]) * precision[i] for i in range(1, len(recall)))


def plain_iou(a: list[float], b: list[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)
