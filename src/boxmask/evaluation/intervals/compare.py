"""Compare models on the same photos, pair by pair.

Both models are evaluated on the same resamples of the photos, so that a photo that is hard for both does not
count as a difference between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Int

from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.evaluation.checks import check_has_photos
from boxmask.evaluation.detection.arrays import Kind
from boxmask.evaluation.detection.bootstrap import ap_samples
from boxmask.evaluation.detection.class_matches import class_matches
from boxmask.evaluation.detection.classes import keep_known_classes, with_class_names
from boxmask.evaluation.intervals.difference import Difference, holm
from boxmask.evaluation.intervals.groups import item_groups, photo_groups
from boxmask.evaluation.intervals.resampling import Resampling
from boxmask.evaluation.intervals.sample import Sample, difference_interval
from boxmask.evaluation.segmentation.classes import evaluated_classes, evaluated_labels
from boxmask.evaluation.segmentation.metrics import confusion_matrix, iou_samples
from boxmask.names import class_name
from boxmask.types import Classification, Detections, SegmentationMap

Dataset: TypeAlias = DetectionDataset | SegmentationDataset | ClassificationDataset
Results: TypeAlias = Sequence[Detections] | Sequence[SegmentationMap] | Sequence[Classification]
"""Result i belongs to photo i of the data set, or to item i of a classifier's."""

DETECTION_METRICS = ("AP", "AP50", "AP75", "mask_AP", "mask_AP50", "mask_AP75")


def compare_results(
    dataset: Dataset,
    first: Results,
    second: Results,
    *,
    names: tuple[str, str] = ("the first model", "the second model"),
    metric: str | None = None,
    groups: Int[np.ndarray, " P"] | None = None,
) -> Difference:
    """The difference of a metric between two models on the same photos, with its interval and p-value.

    names:  of the models, for the sentence
    metric: AP, AP50, AP75, mask_AP, mask_AP50, mask_AP75, mIoU or accuracy; default: AP, mIoU or accuracy
    groups: a number for each photo, the same for photos that belong together; default: as in the split

    Raises LabelError without photos and for classes that a model does not know, and KeyError for an unknown
    metric.
    """
    results = dict(zip(names, (first, second), strict=True))
    return compare_all_results(dataset, results, metric=metric, groups=groups)[0]


def compare_all_results(
    dataset: Dataset,
    results: Mapping[str, Results],
    *,
    metric: str | None = None,
    groups: Int[np.ndarray, " P"] | None = None,
) -> tuple[Difference, ...]:
    """The difference of every pair of models, with p-values corrected for the number of pairs by `holm`.

    results: by the name of the model; read one by one, so that they need not all fit into memory

    Raises LabelError without photos and for classes that a model does not know, and KeyError for an unknown
    metric.
    """
    check_has_photos(dataset)
    default, take_sample, group_of = _TASKS[type(dataset)]
    name = metric or default
    resampling = Resampling.of(len(dataset), group_of(dataset) if groups is None else groups)
    samples = {model: take_sample(dataset, found, name, resampling) for model, found in results.items()}
    pairs = combinations(samples, 2)
    return holm(
        [_difference(first, second, name, samples[first], samples[second]) for first, second in pairs]
    )


def _difference(first: str, second: str, metric: str, one: Sample, other: Sample) -> Difference:
    interval, p_value = difference_interval(one, other) or (None, None)
    return Difference(first, second, metric, one.value - other.value, interval, p_value)


# ---------------------------------------------------------------- tasks


def _sample_detection(dataset: Any, results: Any, metric: str, resampling: Resampling) -> Sample:
    if metric not in DETECTION_METRICS:
        raise KeyError(f"no metric {metric!r}; metrics to compare: {', '.join(DETECTION_METRICS)}")
    kind: Kind = "segm" if metric.startswith("mask_") else "bbox"
    known = list(dict.fromkeys(name for in_photo in results for name in in_photo.class_names))
    kept, _ = keep_known_classes(dataset, known)
    matching = [with_class_names(in_photo, kept.class_names) for in_photo in results]
    samples = ap_samples(class_matches(kept, matching, kind), resampling, kept.class_names)
    return samples.overall[metric.removeprefix("mask_")]


def _sample_segmentation(dataset: Any, results: Any, metric: str, resampling: Resampling) -> Sample:
    _check_metric(metric, "mIoU")
    counts, classes = [], None
    for photo, found in zip(range(len(dataset)), results, strict=True):
        classes = classes or evaluated_classes(dataset, found.class_names)
        truth, predicted = evaluated_labels(dataset, photo, found, classes)
        counts.append(confusion_matrix(truth, predicted, len(classes.class_names)))
    return iou_samples(np.stack(counts), resampling)[0]


def _sample_classification(dataset: Any, results: Any, metric: str, resampling: Resampling) -> Sample:
    _check_metric(metric, "accuracy")
    truth = [class_name(dataset.class_names[label]) for label in dataset.labels]
    hits = np.array([class_name(found.name) == name for found, name in zip(results, truth, strict=True)])
    shares = [weights @ hits / weights.sum(axis=1) for weights in resampling.weights()]
    return Sample(float(hits.mean()), np.concatenate(shares), resampling.num_groups, (float(len(hits)),))


def _check_metric(metric: str, expected: str) -> None:
    if metric != expected:
        raise KeyError(f"no metric {metric!r}; metrics to compare: {expected}")


_TASKS: dict[
    type,
    tuple[str, Callable[[Any, Any, str, Resampling], Sample], Callable[[Any], Int[np.ndarray, " P"] | None]],
] = {
    DetectionDataset: ("AP", _sample_detection, photo_groups),
    SegmentationDataset: ("mIoU", _sample_segmentation, photo_groups),
    ClassificationDataset: ("accuracy", _sample_classification, item_groups),
}
"""For each kind of labels: the metric by default, how to compute it, and which items belong together."""
