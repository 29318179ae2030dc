"""Metrics against a plain confusion matrix; classes by name; intervals; the printed table."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.errors import LabelError
from boxmask.evaluation.intervals.resampling import Resampling
from boxmask.evaluation.segmentation.evaluate import evaluate_label_maps, evaluate_segmenter
from boxmask.evaluation.segmentation.metrics import (
    SegmentationCounts,
    confusion_matrix,
    iou_samples,
    miou_interval,
    segmentation_metrics,
)
from boxmask.evaluation.segmentation.table import segmentation_table
from boxmask.types import IGNORED, SegmentationMap

CLASSES = ("road", "grass", "sky")


@dataclass(frozen=True)
class ListedLabels:
    """A source of labels from a list."""

    pictures: tuple[np.ndarray, ...]

    def labels(self, photo: int) -> np.ndarray:
        return self.pictures[photo]

    def subset(self, photos: np.ndarray) -> ListedLabels:
        return ListedLabels(tuple(self.pictures[photo] for photo in photos))

    def fingerprint(self) -> bytes:
        return b""


@dataclass
class StubSegmenter:
    """A segmenter that returns prepared label maps and records its photos."""

    label_maps: list[SegmentationMap]
    class_names: tuple[str, ...] = CLASSES

    def __post_init__(self) -> None:
        self.shown: list[Path] = []
        self.config = SimpleNamespace(class_names=self.class_names)

    def predict(self, photos: Path) -> SegmentationMap:
        self.shown.append(photos)
        return self.label_maps[len(self.shown) - 1]


def dataset_of(
    *pictures: list[list[int]] | np.ndarray, class_names: tuple[str, ...] = CLASSES
) -> SegmentationDataset:
    arrays = tuple(np.array(picture, dtype=np.uint8) for picture in pictures)
    counts = [np.bincount(array.ravel(), minlength=256)[: len(class_names)] for array in arrays]
    return SegmentationDataset(
        root=Path("fields"),
        class_names=class_names,
        files=np.array([f"{n}.jpg" for n in range(len(arrays))], dtype=str),
        sizes=np.array([array.shape for array in arrays], dtype=np.int32).reshape(-1, 2),
        splits=np.full(len(arrays), "test"),
        pixel_counts=np.array(counts, dtype=np.int64).reshape(len(arrays), len(class_names)),
        source=ListedLabels(arrays),
    )


def map_of(picture: list[list[int]] | np.ndarray, class_names: tuple[str, ...] = CLASSES) -> SegmentationMap:
    return SegmentationMap(torch.tensor(np.array(picture, dtype=np.uint8)), class_names)


TRUTH = [[[0, 0, 1, 1]], [[0, 1, 1, IGNORED]]]
FOUND = [[[0, 1, 1, 1]], [[0, 0, 1, 2]]]


@pytest.fixture
def photos() -> SegmentationDataset:
    return dataset_of(*TRUTH)


@pytest.fixture
def label_maps() -> list[SegmentationMap]:
    return [map_of(picture) for picture in FOUND]


# ---------------------------------------------------------------- metrics


def test_metrics_by_hand(photos: SegmentationDataset, label_maps: list[SegmentationMap]) -> None:
    steps: list[tuple[int, int]] = []
    segmenter = StubSegmenter(label_maps)
    evaluation = evaluate_segmenter(segmenter, photos, progress=lambda done, of: steps.append((done, of)))
    metrics = evaluation.to_dict()
    assert json.loads(json.dumps(metrics)) == metrics
    assert segmenter.shown == [Path("fields/0.jpg"), Path("fields/1.jpg")]
    assert steps == [(1, 2), (2, 2)]
    # road: 2 shared of 3 labeled, 3 predicted; grass: 3 of 4 labeled, 4 predicted; sky only where ignored
    assert metrics["mIoU"] == pytest.approx((2 / 4 + 3 / 5) / 2)
    assert metrics["Dice"] == pytest.approx((4 / 6 + 6 / 8) / 2)
    assert metrics["pixel_accuracy"] == pytest.approx(5 / 7)
    assert metrics["mean_accuracy"] == pytest.approx((2 / 3 + 3 / 4) / 2)
    assert metrics["images"] == 2
    assert metrics["notes"] == []
    assert list(metrics["per_class"]) == list(CLASSES)
    low, high = metrics["per_class"]["road"].pop("IoU_interval")
    assert low < 2 / 4 < high
    assert metrics["per_class"]["sky"].pop("IoU_interval") is None
    assert metrics["per_class"]["road"] == {
        "IoU": pytest.approx(2 / 4),
        "Dice": pytest.approx(4 / 6),
        "accuracy": pytest.approx(2 / 3),
        "boundary_IoU": pytest.approx(2 / 4),  # in such a small photo every pixel is boundary
        "pixels": 3,
    }
    nothing = dict.fromkeys(("IoU", "Dice", "accuracy", "boundary_IoU"))
    assert metrics["per_class"]["sky"] == nothing | {"pixels": 0}
    low, high = metrics["mIoU_interval"]
    assert low <= metrics["mIoU"] <= high
    assert metrics["interval_confidence"] == 0.95


def plain(truth: np.ndarray, predicted: np.ndarray, k: int) -> np.ndarray:
    """The confusion matrix, pixel by pixel."""
    matrix = np.zeros((k, k + 1), dtype=np.int64)
    for a, b in zip(truth.ravel().tolist(), predicted.ravel().tolist(), strict=True):
        if a != IGNORED:
            matrix[a, b] += 1
    return matrix


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), k=st.integers(1, 6), height=st.integers(1, 12), width=st.integers(1, 12))
def test_confusion_matrix_equals_a_plain_one(seed: int, k: int, height: int, width: int) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, k, (height, width)).astype(np.uint8)
    truth[generator.random((height, width)) < 0.2] = IGNORED
    predicted = generator.integers(0, k + 1, (height, width)).astype(np.uint8)
    assert np.array_equal(confusion_matrix(truth, predicted, k), plain(truth, predicted, k))


def test_confusion_matrix_takes_255_classes() -> None:
    truth = np.array([[0, 254, IGNORED, 7]], dtype=np.uint8)
    matrix = confusion_matrix(truth, np.array([[254, 254, 0, 255]], dtype=np.uint8), 255)
    assert matrix.shape == (255, 256)
    assert (matrix[0, 254], matrix[254, 254], matrix[7, 255], matrix.sum()) == (1, 1, 1, 3)


def test_metrics_equal_hotcocos() -> None:
    from hotcoco.semantic import SemanticEval

    generator = np.random.default_rng(0)
    truth = generator.integers(0, 5, (6, 30, 40)).astype(np.uint8)
    truth[generator.random(truth.shape) < 0.1] = IGNORED
    predicted = np.where(generator.random(truth.shape) < 0.6, np.minimum(truth, 4), 3).astype(np.uint8)
    names = ("a", "b", "c", "d", "e", "absent")
    run = SemanticEval(list(names))
    for one in zip(truth, predicted, strict=True):
        run.update(*one)
    reference = run.results()
    dataset = dataset_of(*truth, class_names=names)
    metrics = evaluate_label_maps(dataset, [map_of(one, names) for one in predicted], names).metrics
    assert metrics.mIoU == pytest.approx(reference["mIoU"], abs=1e-12)
    assert metrics.mean_accuracy == pytest.approx(reference["mAcc"], abs=1e-12)
    assert metrics.pixel_accuracy == pytest.approx(reference["aAcc"], abs=1e-12)
    for expected in reference["per_class"][:5]:
        assert metrics.per_class[expected["name"]].IoU == pytest.approx(expected["IoU"], abs=1e-12)
        assert metrics.per_class[expected["name"]].accuracy == pytest.approx(expected["Acc"], abs=1e-12)
    assert reference["per_class"][5]["IoU"] == -1.0
    assert metrics.per_class["absent"].IoU is None


def test_class_that_is_only_predicted_counts_in_miou_but_not_in_mean_accuracy() -> None:
    evaluation = evaluate_label_maps(dataset_of([[0, 0]]), [map_of([[0, 2]])], CLASSES)
    assert evaluation.metrics.mIoU == pytest.approx((1 / 2 + 0) / 2)
    assert evaluation.metrics.mean_accuracy == pytest.approx(1 / 2)
    assert evaluation.metrics.per_class["sky"].IoU == 0.0
    assert evaluation.metrics.per_class["sky"].accuracy is None


def test_no_metrics_without_labeled_pixels() -> None:
    evaluation = evaluate_label_maps(dataset_of([[IGNORED]], [[IGNORED]]), [map_of([[0]])] * 2, CLASSES)
    assert evaluation.metrics.mIoU is None
    assert evaluation.metrics.pixel_accuracy is None
    assert evaluation.miou_interval is None


# ---------------------------------------------------------------- classes


def test_classes_in_another_order_give_the_same_metrics(
    photos: SegmentationDataset, label_maps: list[SegmentationMap]
) -> None:
    names = ("sky", "road", "grass")
    turned = [SegmentationMap((label_map.labels + 1) % 3, names) for label_map in label_maps]
    assert evaluate_label_maps(photos, turned, names) == evaluate_label_maps(photos, label_maps, CLASSES)


def test_unseen_class_is_an_error_before_any_photo_is_opened(
    photos: SegmentationDataset, label_maps: list[SegmentationMap]
) -> None:
    segmenter = StubSegmenter(label_maps, ("road", "sky"))
    with pytest.raises(LabelError, match=r'"grass": \d+ pixels in 0\.jpg.*\nIt knows "road", "sky"'):
        evaluate_segmenter(segmenter, photos)
    assert segmenter.shown == []


def test_unseen_class_can_be_skipped(photos: SegmentationDataset) -> None:
    names = ("road", "sky")
    found = [map_of([[0, 1, 0, 0]], names), map_of([[0, 0, 0, 0]], names)]
    evaluation = evaluate_segmenter(StubSegmenter(found, names), photos, on_unseen_classes="skip")
    assert list(evaluation.metrics.per_class) == ["road", "sky"]
    assert evaluation.metrics.pixel_accuracy == pytest.approx(2 / 3)
    assert evaluation.metrics.mIoU == pytest.approx((2 / 3 + 0) / 2)
    assert evaluation.notes == (
        "classes that the model does not know are left out of the metrics:\n"
        '  "grass": 4 pixels in 0.jpg, 1.jpg',
    )


def test_extra_class_counts_as_wrong_and_is_noted(photos: SegmentationDataset) -> None:
    names = ("road", "grass", "sky", "lava")
    found = [map_of([[0, 3, 1, 1]], names), map_of([[0, 1, 1, 3]], names)]
    evaluation = evaluate_label_maps(photos, found, names)
    assert evaluation.metrics.pixel_accuracy == pytest.approx(6 / 7)
    assert evaluation.metrics.mIoU == pytest.approx((2 / 3 + 1) / 2)
    assert evaluation.notes == (
        "14.29% of the pixels count as wrong: they are predicted as classes that the data set does not have, "
        '"lava".',
    )


def test_wrong_size_or_number_of_maps_is_refused(
    photos: SegmentationDataset, label_maps: list[SegmentationMap]
) -> None:
    with pytest.raises(ValueError, match=r"1\.jpg: expected a label map of \(1, 4\), found \(1, 2\)"):
        evaluate_label_maps(photos, [label_maps[0], map_of([[0, 0]])], CLASSES)
    with pytest.raises(ValueError, match="zip"):
        evaluate_label_maps(photos, label_maps[:1], CLASSES)


def test_no_photos() -> None:
    with pytest.raises(LabelError, match="no photos to evaluate on"):
        evaluate_segmenter(StubSegmenter([]), dataset_of())


# ---------------------------------------------------------------- interval


@pytest.fixture
def counts() -> SegmentationCounts:
    generator = np.random.default_rng(1)
    matrix = generator.integers(0, 50, (12, 3, 4)) + 200 * np.eye(3, 4, dtype=np.int64)
    nothing = np.zeros((12, 3), dtype=np.int64)
    return SegmentationCounts(matrix.astype(np.int64), nothing, nothing)


def test_interval_is_that_of_resampled_photos(counts: SegmentationCounts) -> None:
    sample, _ = iou_samples(counts.confusion, Resampling.of(12, resamples=50, seed=3))
    weights = np.random.default_rng(3).multinomial(12, np.full(12, 1 / 12), size=50)
    metrics = []
    for weight in weights:
        rows = np.repeat(np.arange(12), weight)
        resample = SegmentationCounts(
            counts.confusion[rows], counts.boundary_intersection[rows], counts.boundary_union[rows]
        )
        metrics.append(segmentation_metrics(resample, CLASSES).mIoU)
    assert sample.resampled.tolist() == pytest.approx(metrics, abs=1e-12)
    assert sample.value == pytest.approx(segmentation_metrics(counts, CLASSES).mIoU)
    found = miou_interval(counts, resamples=50, seed=3)
    assert found is not None
    assert found.mIoU.low < sample.value < found.mIoU.high
    assert found.resamples == 50


def test_interval_follows_the_seed_and_needs_two_photos(
    counts: SegmentationCounts,
) -> None:
    assert miou_interval(counts) == miou_interval(counts)
    assert miou_interval(counts) != miou_interval(counts, seed=1)
    one = SegmentationCounts(
        counts.confusion[:1], counts.boundary_intersection[:1], counts.boundary_union[:1]
    )
    assert miou_interval(one) is None


def test_resamples_without_labeled_pixels_do_not_count() -> None:
    matrix = np.zeros((2, 3, 4), dtype=np.int64)
    matrix[0, 0, 0] = 5
    found = miou_interval(SegmentationCounts(matrix, matrix[..., 0], matrix[..., 0]), resamples=400)
    assert found is not None
    assert 200 < found.resamples < 400
    assert found.mIoU.high == 1.0


# ---------------------------------------------------------------- table


def test_table_shows_every_class_the_interval_and_the_notes(
    photos: SegmentationDataset, label_maps: list[SegmentationMap], printed: Callable[..., str]
) -> None:
    evaluation = replace(evaluate_label_maps(photos, label_maps, CLASSES), notes=("Something was left out.",))
    text = printed(segmentation_table(evaluation))
    assert "2 photos" in text
    assert "95% interval" in text
    assert "0.550" in text
    assert "boundary IoU" in text
    assert "Something was left out." in text
    cells = [line.split() for line in text.splitlines()]
    road = next(line for line in cells if line[:2] == ["│", "road"])
    assert road[2:8] == ["│", "42.9%", "│", "0.500", "│", "0.001"]
    assert road[10:] == ["│", "0.667", "│", "0.667", "│", "0.500", "│"]
    assert ["│", "sky", "│", "0.0%", "│", "–", "│", "│", "–", "│", "–", "│", "–", "│"] in cells
    without = printed(segmentation_table(evaluate_label_maps(photos, label_maps, CLASSES, interval=False)))
    assert "95% interval" not in without


@pytest.fixture
def printed() -> Callable[..., str]:
    def print_(table: object) -> str:
        console = Console(file=io.StringIO(), width=120)
        console.print(table)
        return console.file.getvalue()  # type: ignore[attr-defined]

    return print_
