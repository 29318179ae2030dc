"""The surface that the evaluations of all tasks share."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from boxmask.data.classification.dataset import NO_CONTEXT, crop_objects
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.evaluation.classification.evaluate import ClassificationEvaluation, evaluate_classifications
from boxmask.evaluation.contract import Evaluation, Interval
from boxmask.evaluation.detection.evaluate import DetectionEvaluation, evaluate_detections
from boxmask.evaluation.segmentation.evaluate import SegmentationEvaluation, evaluate_label_maps
from boxmask.types import Classification, SegmentationMap

A, B = (10, 10, 30, 30), (50, 50, 90, 90)


@dataclass(frozen=True)
class ListedLabels:
    """A source of labels from a list."""

    label_maps: tuple[np.ndarray, ...]

    def labels(self, photo: int) -> np.ndarray:
        return self.label_maps[photo]


@pytest.fixture
def detection(labeled: Any, detected: Any) -> Callable[..., DetectionEvaluation]:
    dataset = labeled([("cat", A)], [("dog", B), ("cat", A)], [])
    detections = [detected(("cat", 0.9, A)), detected(("dog", 0.8, B)), detected(("cat", 0.3, B))]
    return lambda **options: evaluate_detections(dataset, detections, **options)


@pytest.fixture
def masks(
    labeled: Any, detected: Any, with_object_masks: Any, with_masks: Any
) -> Callable[..., DetectionEvaluation]:
    dataset = with_object_masks(labeled([("cat", A)], [("cat", B)]))
    detections = [with_masks(detected(("cat", 0.9, A))), with_masks(detected())]
    return lambda **options: evaluate_detections(dataset, detections, **options)


@pytest.fixture
def segmentation() -> Callable[..., SegmentationEvaluation]:
    names = ("road", "sky")
    labels = (np.array([[0, 0, 1, 1]], dtype=np.uint8), np.array([[0, 1, 1, 1]], dtype=np.uint8))
    dataset = SegmentationDataset(
        root=Path("fields"),
        class_names=names,
        files=np.array(["0.jpg", "1.jpg"]),
        sizes=np.array([[1, 4], [1, 4]], dtype=np.int32),
        splits=np.full(2, "test"),
        pixel_counts=np.array([[2, 2], [1, 3]], dtype=np.int64),
        source=ListedLabels(labels),  # type: ignore[arg-type]
    )
    predicted = [SegmentationMap(torch.tensor([[0, 1, 1, 1]], dtype=torch.uint8), names)] * 2
    return lambda **options: evaluate_label_maps(dataset, predicted, names, **options)


@pytest.fixture
def classification(labeled: Any) -> Callable[..., ClassificationEvaluation]:
    dataset = crop_objects(labeled([("cat", A)], [("dog", A)], [("dog", A)]), NO_CONTEXT)
    names = ("cat", "dog")
    predicted = [Classification(torch.tensor(scores), names) for scores in ([1.0, 0], [0.0, 1], [1.0, 0])]
    return lambda **options: evaluate_classifications(dataset, predicted, **options)


KINDS = {
    "detection": ("AP", "AP50", "AP75"),
    "masks": ("AP", "AP50", "AP75", "mask_AP", "mask_AP50", "mask_AP75"),
    "segmentation": ("mIoU",),
    "classification": ("accuracy",),
}
"""Each kind of evaluation, and the metrics that have an interval."""


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def evaluate(kind: str, request: pytest.FixtureRequest) -> Callable[..., Evaluation]:
    function: Callable[..., Evaluation] = request.getfixturevalue(kind)
    return function


def test_metrics_have_the_names_and_values_of_to_dict(evaluate: Callable[..., Evaluation]) -> None:
    evaluation = evaluate()
    written = evaluation.to_dict()
    metrics = dict(evaluation)
    assert list(evaluation) == evaluation.keys() == list(metrics)
    assert metrics == {name: written[name] for name in metrics}
    scalars = {name for name, value in written.items() if isinstance(value, float)}
    assert scalars - {"interval_confidence"} <= set(metrics)


def test_unknown_metric_raises_key_error_with_the_known_names(
    kind: str, evaluate: Callable[..., Evaluation]
) -> None:
    evaluation = evaluate()
    known = ", ".join(evaluation.keys())
    for look_up in (evaluation.__getitem__, evaluation.interval):
        for name in ("AP51", "images", "per_class"):
            with pytest.raises(KeyError, match=f"no metric '{name}'; known metrics: {known}"):
                look_up(name)
    assert "AP51" not in evaluation
    if kind == "detection":
        with pytest.raises(KeyError, match="no metric 'mask_AP'"):
            evaluation["mask_AP"]


def test_intervals_are_those_of_to_dict(kind: str, evaluate: Callable[..., Evaluation]) -> None:
    evaluation = evaluate()
    written = evaluation.to_dict()
    for name in evaluation.keys():  # noqa: SIM118
        interval = evaluation.interval(name)
        if name in KINDS[kind]:
            assert isinstance(interval, Interval)
            assert list(interval) == written[f"{name}_interval"]
            low, high = interval
            value = evaluation[name]
            assert value is not None
            assert low <= value <= high
        else:
            assert interval is None


def test_no_intervals_if_not_requested(kind: str, evaluate: Callable[..., Evaluation]) -> None:
    evaluation = evaluate(interval=False)
    for name in KINDS[kind]:
        assert evaluation.interval(name) is None
        assert evaluation.to_dict()[f"{name}_interval"] is None


def test_json_is_the_text_of_to_dict(evaluate: Callable[..., Evaluation]) -> None:
    evaluation = evaluate()
    assert evaluation.to_json() == json.dumps(evaluation.to_dict(), indent=1)


def test_equality_never_raises(evaluate: Callable[..., Evaluation]) -> None:
    first, second = evaluate(), evaluate()
    assert first == second
    assert first != evaluate(interval=False)
    assert first != replace(second, notes=("Something was left out.",))  # type: ignore[type-var]
    assert first != "an evaluation"


def test_repr_is_one_readable_line(
    detection: Callable[..., Evaluation],
    masks: Callable[..., Evaluation],
    segmentation: Callable[..., Evaluation],
    classification: Callable[..., Evaluation],
) -> None:
    assert repr(detection(interval=False)) == "DetectionEvaluation(AP=0.752, AP50=0.752, 3 photos)"
    assert str(detection()).startswith("DetectionEvaluation(AP=0.752 [0.")
    assert ", mask_AP=0.505 [" in repr(masks())
    assert repr(segmentation(interval=False)) == (
        "SegmentationEvaluation(mIoU=0.750, pixel_accuracy=0.875, 2 photos)"
    )
    assert repr(classification(interval=False)) == (
        "ClassificationEvaluation(accuracy=0.667, mean_accuracy=0.750, 3 photos)"
    )
    assert repr(classification()).startswith("ClassificationEvaluation(accuracy=0.667 [0.21, 0.94], mean")


def test_repr_shows_metrics_that_could_not_be_measured(labeled: Any, detected: Any) -> None:
    evaluation = evaluate_detections(labeled([]), [detected()])
    assert repr(evaluation) == "DetectionEvaluation(AP=None, AP50=None, 1 photo)"
