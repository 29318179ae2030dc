"""Compare models on the same photos, pair by pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, Int

from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.evaluation.contract import Interval
from boxmask.evaluation.detection.arrays import Kind
from boxmask.evaluation.detection.bootstrap import class_matches, resampled_ap
from boxmask.evaluation.detection.classes import keep_known_classes, with_class_names
from boxmask.evaluation.intervals.difference import Difference, holm
from boxmask.evaluation.segmentation.classes import evaluated_classes
from boxmask.evaluation.segmentation.metrics import confusion_matrix
from boxmask.names import class_name
from boxmask.types import Classification, Detections, SegmentationMap

Dataset: TypeAlias = DetectionDataset | SegmentationDataset | ClassificationDataset
Results: TypeAlias = Sequence[Detections] | Sequence[SegmentationMap] | Sequence[Classification]
"""Result i belongs to photo i of the data set, or to item i of a classifier's."""

Values: TypeAlias = Float[np.ndarray, " B"]
Weights: TypeAlias = Int[np.ndarray, "B P"]

RESAMPLES = 1000
DETECTION_METRICS: dict[str, tuple[Kind, slice]] = {
    "AP": ("bbox", slice(None)),
    "AP50": ("bbox", slice(0, 1)),
    "AP75": ("bbox", slice(5, 6)),
    "mask_AP": ("segm", slice(None)),
    "mask_AP50": ("segm", slice(0, 1)),
    "mask_AP75": ("segm", slice(5, 6)),
}
"""What each metric compares, and its IoU thresholds."""


def compare_results(
    dataset: Dataset,
    first: Results,
    second: Results,
    *,
    names: tuple[str, str] = ("the first model", "the second model"),
    metric: str | None = None,
) -> Difference:
    """The difference of a metric between two models on the same photos, with its interval and p-value.

    names:  of the models, for the sentence
    metric: AP, AP50, AP75, mask_AP, mask_AP50, mask_AP75, mIoU or accuracy; default: AP, mIoU or accuracy

    Raises LabelError for classes that a model does not know, and KeyError for an unknown metric.
    """
    return compare_all_results(dataset, dict(zip(names, (first, second), strict=True)), metric=metric)[0]


def compare_all_results(
    dataset: Dataset, results: Mapping[str, Results], *, metric: str | None = None
) -> tuple[Difference, ...]:
    """The difference of every pair of models, with p-values corrected for the number of pairs by `holm`.

    results: by the name of the model; read one by one, so that they need not all fit into memory

    Raises LabelError for classes that a model does not know, and KeyError for an unknown metric.
    """
    default, values = _TASKS[type(dataset)]
    name = metric or default
    num_photos = len(dataset)
    uniform = np.full(num_photos, 1 / num_photos)
    drawn = np.random.default_rng(0).multinomial(num_photos, uniform, size=RESAMPLES)
    weights = np.concatenate([np.ones((1, num_photos), dtype=np.int64), drawn])
    samples = {model: values(dataset, found, name, weights) for model, found in results.items()}
    pairs = [
        _difference(pair, name, samples[pair[0]] - samples[pair[1]]) for pair in combinations(samples, 2)
    ]
    return holm(pairs)


def _difference(names: tuple[str, str], metric: str, values: Values) -> Difference:
    """From the difference on all photos and on each resample."""
    drawn = values[1:][np.isfinite(values[1:])]
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    p_value = min(1.0, 2 * float(1 + min((drawn <= 0).sum(), (drawn >= 0).sum())) / (len(drawn) + 1))
    return Difference(*names, metric, float(values[0]), Interval(low, high), p_value)


def _detection_values(dataset: Any, results: Any, metric: str, weights: Weights) -> Values:
    kind, ious = DETECTION_METRICS[metric]
    known = list(dict.fromkeys(name for in_photo in results for name in in_photo.class_names))
    kept, _ = keep_known_classes(dataset, known)
    matching = [with_class_names(in_photo, kept.class_names) for in_photo in results]
    return np.asarray(resampled_ap(class_matches(kept, matching, kind), weights)[:, ious].mean(axis=1))


def _segmentation_values(dataset: Any, results: Any, metric: str, weights: Weights) -> Values:
    counts, classes = [], None
    for photo, found in zip(range(len(dataset)), results, strict=True):
        classes = classes or evaluated_classes(dataset, found.class_names)
        truth = classes.truth_table[dataset.target(photo).labels.numpy()]
        predicted = classes.convert_prediction(found.labels, found.class_names)
        counts.append(confusion_matrix(truth, predicted, len(classes.class_names)))
    confusion = np.stack(counts)
    shared = weights @ np.diagonal(confusion, axis1=1, axis2=2)
    areas = weights @ (confusion.sum(axis=2) + confusion[:, :, :-1].sum(axis=1))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nanmean(shared / (areas - shared), axis=1))


def _classification_values(dataset: Any, results: Any, metric: str, weights: Weights) -> Values:
    truth = [class_name(dataset.class_names[label]) for label in dataset.labels]
    hits = np.array([class_name(found.name) == name for found, name in zip(results, truth, strict=True)])
    return np.asarray(weights @ hits / weights.sum(axis=1))


_TASKS: dict[type, tuple[str, Callable[[Any, Any, str, Weights], Values]]] = {
    DetectionDataset: ("AP", _detection_values),
    SegmentationDataset: ("mIoU", _segmentation_values),
    ClassificationDataset: ("accuracy", _classification_values),
}
"""For each kind of labels, the metric by default and how to compute it."""
