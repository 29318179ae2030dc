"""How long COCO's metrics and their intervals take, beside pycocotools: `python benchmarks/evaluation.py`.

The labels and detections are drawn at random: as many photos, objects and detections as in COCO's validation
set. Each side gets them in its own form, in memory; pycocotools gets lists of dictionaries, as its users have
them. All metrics must agree to six digits. Times are CPU seconds of one process, in turns.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from rich.console import Console
from rich.table import Table

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.types import Detections

SIDE = 640
NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=5000)
    parser.add_argument("--objects", type=int, default=36_000)
    parser.add_argument("--detections", type=int, default=250_000)
    parser.add_argument("--classes", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=1, help="how often each side is timed")
    options = parser.parse_args()
    dataset, detections = draw(options.photos, options.objects, options.detections, options.classes)
    evaluate_detections(dataset, detections)  # compiles the loops
    truth, found = as_coco(dataset, detections)
    sides: dict[str, Callable[[], Any]] = {
        "pycocotools": lambda: with_pycocotools(truth, found),
        "boxmask": lambda: evaluate_detections(dataset, detections, interval=False),
        "boxmask, with intervals": lambda: evaluate_detections(dataset, detections),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    metrics = {}
    for _ in range(options.rounds):
        for name, side in sides.items():
            start = time.process_time()
            metrics[name] = side()
            times[name].append(time.process_time() - start)
    table = Table("", "seconds", "pycocotools / this", *NAMES[:3])
    anchor = float(np.median(times["pycocotools"]))
    for name, seconds in times.items():
        median = float(np.median(seconds))
        shown = [f"{metrics[name][metric]:.6f}" for metric in NAMES[:3]]
        table.add_row(name, f"{median:.2f}", f"{anchor / median:.0f}", *shown)
    Console(width=110).print(table)
    largest = max(abs(metrics["pycocotools"][name] - metrics["boxmask"][name]) for name in NAMES)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"largest difference of {len(NAMES)} metrics: {largest:.1e}; peak memory: {memory:,.0f} MB")


def draw(
    photos: int, objects: int, detections: int, classes: int, seed: int = 0
) -> tuple[DetectionDataset, list[Detections]]:
    """Objects of random sizes; detections near three quarters of them, and elsewhere."""
    random = np.random.default_rng(seed)
    names = tuple(f"class {k}" for k in range(classes))
    popularity = random.dirichlet(np.full(classes, 0.7))
    of_photo = np.sort(random.choice(photos, objects, p=random.dirichlet(np.full(photos, 1.0))))
    labels = random.choice(classes, objects, p=popularity)
    boxes = random_boxes(random, objects)
    dataset = DetectionDataset(
        root=Path("random"),
        class_names=names,
        files=np.array([f"{i}.jpg" for i in range(photos)]),
        image_ids=np.arange(photos),
        sizes=np.full((photos, 2), SIDE, dtype=np.int32),
        splits=np.full(photos, "test"),
        offsets=np.searchsorted(of_photo, np.arange(photos + 1)),
        boxes=boxes,
        labels=labels,
        areas=(boxes[:, 2:] - boxes[:, :2]).prod(axis=1),
        crowd=random.random(objects) < 0.01,
        difficult=np.zeros(objects, dtype=bool),
    )
    near = random.permutation(objects)[: objects * 3 // 4]
    shifts = random.normal(0, 0.08, (len(near), 4)) * np.tile(boxes[near, 2:] - boxes[near, :2], 2)
    far = detections - len(near)
    all_boxes = np.concatenate([boxes[near] + shifts, random_boxes(random, far)]).astype(np.float32)
    all_labels = np.concatenate([labels[near], random.choice(classes, far, p=popularity)])
    scores = np.concatenate([random.beta(3, 2, len(near)), random.beta(1, 4, far)]).astype(np.float32)
    in_photo = np.concatenate([of_photo[near], random.choice(photos, far)])
    order = np.lexsort([-scores, in_photo])
    ends = np.searchsorted(in_photo[order], np.arange(photos + 1))
    rows = [order[ends[i] : ends[i + 1]] for i in range(photos)]
    return dataset, [Detections(all_boxes[r], scores[r], all_labels[r], names, (SIDE, SIDE)) for r in rows]


def random_boxes(random: np.random.Generator, count: int) -> np.ndarray:
    """Boxes with sides of 8 to 400 pixels, inside the photo."""
    sides = np.exp(random.uniform(np.log(8), np.log(400), (count, 2)))
    low = random.random((count, 2)) * (SIDE - sides)
    return np.concatenate([low, low + sides], axis=1).astype(np.float32)


def as_coco(dataset: DetectionDataset, detections: list[Detections]) -> tuple[dict, list[dict]]:
    """The labels and detections as COCO's JSON has them."""
    truth = {
        "images": [{"id": i + 1, "width": SIDE, "height": SIDE} for i in range(len(dataset))],
        "categories": [{"id": k + 1, "name": name} for k, name in enumerate(dataset.class_names)],
        "annotations": [
            {
                "id": n + 1,
                "image_id": photo + 1,
                "category_id": int(dataset.labels[n]) + 1,
                "bbox": xywh(dataset.boxes[n]),
                "area": float(dataset.areas[n]),
                "iscrowd": int(dataset.crowd[n]),
            }
            for photo in range(len(dataset))
            for n in range(dataset.offsets[photo], dataset.offsets[photo + 1])
        ],
    }
    found = [
        {"image_id": photo + 1, "category_id": int(label) + 1, "bbox": xywh(box), "score": float(score)}
        for photo, result in enumerate(detections)
        for box, score, label in zip(result.boxes, result.scores, result.labels, strict=True)
    ]
    return truth, found


def xywh(box: np.ndarray) -> list[float]:
    x1, y1, x2, y2 = box.astype(np.float64).tolist()
    return [x1, y1, x2 - x1, y2 - y1]


def with_pycocotools(truth: dict, found: list[dict]) -> dict[str, float]:
    """The twelve metrics, with pycocotools' messages left out."""
    with contextlib.redirect_stdout(io.StringIO()):
        labels = COCO()
        labels.dataset = truth
        labels.createIndex()
        run = COCOeval(labels, labels.loadRes([dict(entry) for entry in found]), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return dict(zip(NAMES, run.stats.tolist(), strict=True))


if __name__ == "__main__":
    main()
