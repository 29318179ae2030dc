"""Comparisons of two models on generated photos, with hostile names, one for each task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.comparison.contract import ComparedModel, Comparison, FailedModel, Speed, Training
from boxmask.data.classification.dataset import NO_CONTEXT, crop_objects
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.evaluation.classification.evaluate import evaluate_classifications
from boxmask.evaluation.contract import Interval
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.evaluation.detection.failures.analyze import analyze_failures
from boxmask.evaluation.intervals.difference import Difference
from boxmask.evaluation.segmentation.evaluate import evaluate_label_maps
from boxmask.masks import Masks
from boxmask.types import Classification, Detections, SegmentationMap

CLASSES = ("cat", "<b>dog</b>")
FILES = ("a.png", "b & c.png", "d.png", "e.png", "missing.png", "../outside.png")
SIZE = (120, 160)
BOXES = np.array([[10, 10, 60, 60], [80, 40, 150, 110]], np.float32)
NAMES = ("<img src=x onerror=alert(1)>", "fcos")


@pytest.fixture
def dataset(tmp_path: Path) -> DetectionDataset:
    """A cat and a dog in each photo; two of the photos cannot be shown."""
    root = tmp_path / "photos"
    root.mkdir()
    noise = np.random.default_rng(0)
    for file in (*FILES[:4], "../outside.png"):
        Image.fromarray(noise.integers(0, 256, (*SIZE, 3), dtype=np.uint8)).save(root / file)
    count = len(FILES)
    return DetectionDataset(
        root=root,
        class_names=CLASSES,
        files=np.array(FILES),
        image_ids=np.arange(count),
        sizes=np.tile(np.array(SIZE, np.int32), (count, 1)),
        splits=np.array(["test"] * count),
        offsets=np.arange(0, 2 * count + 1, 2),
        boxes=np.tile(BOXES, (count, 1)),
        labels=np.tile([0, 1], count),
        areas=np.full(2 * count, 2500, np.float32),
        crowd=np.zeros(2 * count, np.bool_),
        difficult=np.zeros(2 * count, np.bool_),
    )


def found(
    shift: float, labels: tuple[int, ...] = (0, 1), scores: tuple[float, ...] = (0.9, 0.8)
) -> Detections:
    boxes = np.clip(BOXES + np.float32(shift), 0, 120)
    masks = Masks.from_crops(
        [np.ones((30, 30), np.bool_)] * len(boxes), [(int(box[0]), int(box[1])) for box in boxes], SIZE
    )
    return Detections(boxes, np.array(scores, np.float32), np.array(labels), CLASSES, SIZE, masks)


@pytest.fixture
def comparison(dataset: DetectionDataset) -> Comparison:
    """Two detectors, one that failed, and the difference between the two."""
    results = [
        [found(0.0), found(1.0), found(0.0, (1, 0)), found(40.0), found(0.0), found(0.0)],
        [found(3.0), found(60.0), found(2.0), found(0.0), found(0.0), found(0.0, scores=(0.9, 0.02))],
    ]
    models = tuple(
        ComparedModel(
            name=name,
            method="fcos",
            source=Path(name),
            evaluation=evaluate_detections(dataset, found_by),
            results=found_by,
            failures=analyze_failures(dataset, found_by),
            training=Training(5.0, 12.0, 30.0, 1500.0, 0),
            speeds=(
                Speed("torch", milliseconds, milliseconds + 9, {"features": 10.0, "heads": 5.0}, 800.0, 14.0),
                Speed("int8", milliseconds / 3, milliseconds / 2, {}, 300.0, 4.0),
            ),
            parameters=3_700_000,
            operations=5_000_000_000,
        )
        for name, found_by, milliseconds in zip(NAMES, results, (40.0, 90.0), strict=True)
    )
    difference = Difference(*NAMES, "AP", 0.1, Interval(-0.05, 0.25), 0.2)
    return Comparison(
        data=Path("cats & dogs"),
        split="test",
        dataset=dataset,
        task="detection",
        metric="AP",
        models=models,
        failed=(FailedModel("ssd", "the loss is NaN <script>alert(1)</script>"),),
        differences=(difference,),
        sentences=(difference.describe(), "A sentence that has no translation."),
    )


@dataclass(frozen=True)
class ListedLabels:
    """Label maps from a list."""

    maps: list[np.ndarray]

    def labels(self, photo: int) -> np.ndarray:
        return self.maps[photo]

    def subset(self, photos: np.ndarray) -> ListedLabels:
        return ListedLabels([self.maps[photo] for photo in photos])

    def fingerprint(self) -> bytes:
        return b""


@pytest.fixture
def of_segmenters(dataset: DetectionDataset) -> Comparison:
    """One segmenter, half right."""
    names = ("background", *CLASSES)
    truth = np.zeros(SIZE, np.uint8)
    truth[10:60, 10:60] = 1
    predicted = np.roll(truth, 25, axis=1)
    segmented = SegmentationDataset(
        root=dataset.root,
        class_names=names,
        files=dataset.files[:4],
        sizes=dataset.sizes[:4],
        splits=dataset.splits[:4],
        pixel_counts=np.tile(np.bincount(truth.ravel(), minlength=3), (4, 1)),
        source=ListedLabels([truth] * 4),
    )
    results = [SegmentationMap(predicted, names)] * 4
    evaluation = evaluate_label_maps(segmented, results, names)
    model = ComparedModel("unet", "unet", Path("runs/unet"), evaluation, results, None, None, (), None, None)
    return Comparison(Path("cats"), "test", segmented, "segmentation", "mIoU", (model,))


@pytest.fixture
def of_classifiers(dataset: DetectionDataset) -> Comparison:
    """One classifier, which says cat."""
    items = crop_objects(dataset.subset(np.arange(4)), NO_CONTEXT)
    results = [Classification(np.array([0.8, 0.2], np.float32), CLASSES)] * len(items)
    evaluation = evaluate_classifications(items, results)
    model = ComparedModel(
        "classifier", "classifier", Path("runs/c"), evaluation, results, None, None, (), 9, 9
    )
    return Comparison(Path("cats"), "test", items, "classification", "accuracy", (model,))


@pytest.fixture
def saved(comparison: Comparison, tmp_path: Path) -> Callable[[], Path]:
    """Writes the report of the detectors."""

    def save() -> Path:
        comparison.save_html(tmp_path / "report.html")
        return tmp_path / "report.html"

    return save
