"""Metrics of label maps: mIoU and others, per class, with a confidence interval of mIoU.

All but boundary IoU follow from the confusion matrix over all pixels of all photos, as in Long et al. 2015
(arXiv:1411.4038, section 5) and mmsegmentation's IoUMetric. For each class,

    IoU = shared / (labeled + predicted - shared)
    Dice = 2 shared / (labeled + predicted)
    accuracy = shared / labeled

mIoU and Dice are means over the classes that occur in the labels or the predictions; mean accuracy is the
mean over those that occur in the labels. Ignored pixels count nowhere, whatever is predicted there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hotcoco.semantic import SemanticEval
from jaxtyping import Float, Int, UInt8

from boxmask.evaluation.contract import Interval
from boxmask.evaluation.intervals.resampling import MAX_RESAMPLES, Resampling
from boxmask.evaluation.intervals.sample import CONFIDENCE, Sample, confidence_interval
from boxmask.types import IGNORED


@dataclass(frozen=True)
class ClassSegmentationMetrics:
    """Metrics of one class: fractions in 0..1, or None if it occurs neither in labels nor in predictions.

    accuracy: share of its labeled pixels that were found (recall); None without labeled pixels
    pixels:   number of labeled pixels
    """

    IoU: float | None
    Dice: float | None
    accuracy: float | None
    boundary_IoU: float | None
    pixels: int


@dataclass(frozen=True)
class SegmentationMetrics:
    """Fractions in 0..1 over all classes, or None without labeled pixels."""

    mIoU: float | None
    pixel_accuracy: float | None
    mean_accuracy: float | None
    Dice: float | None
    boundary_IoU: float | None
    per_class: dict[str, ClassSegmentationMetrics]


@dataclass(frozen=True)
class MIoUInterval:
    """Confidence interval of mIoU, from a bootstrap over photos; see `evaluation.intervals.sample`.

    per_class:  of the IoU of each class; None for a class that does not occur
    confidence: how often such intervals contain the metric on all photos
    resamples:  number of resamples of the photos that had labeled pixels
    groups:     number of photos, or of groups of photos that were drawn together
    """

    mIoU: Interval
    per_class: tuple[Interval | None, ...]
    confidence: float
    resamples: int
    groups: int


@dataclass(frozen=True)
class SegmentationCounts:
    """Pixel counts of P photos and K classes.

    confusion:             (P, K, K + 1) pixels by label and prediction; the last column is any other class
    boundary_intersection: (P, K) pixels in the boundaries of both label and prediction
    boundary_union:        (P, K) pixels in the boundary of the label or of the prediction
    """

    confusion: Int[np.ndarray, "P K K+1"]
    boundary_intersection: Int[np.ndarray, "P K"]
    boundary_union: Int[np.ndarray, "P K"]


def confusion_matrix(
    truth: UInt8[np.ndarray, "H W"], predicted: UInt8[np.ndarray, "H W"], num_classes: int
) -> Int[np.ndarray, "K K+1"]:
    """Pixels by label and prediction: (H, W), (H, W) -> (K, K + 1). The prediction K is any other class."""
    run = SemanticEval(num_classes + 1, ignore_index=IGNORED)
    run.update(np.ascontiguousarray(truth), np.ascontiguousarray(predicted))
    return np.asarray(run.confusion().astype(np.int64)[:num_classes])


def segmentation_metrics(counts: SegmentationCounts, class_names: Sequence[str]) -> SegmentationMetrics:
    """The metrics over all photos together."""
    total = counts.confusion.sum(axis=0)
    shared, labeled, predicted = np.diagonal(total), total.sum(axis=1), total[:, :-1].sum(axis=0)
    iou = _ratio(shared, labeled + predicted - shared)
    dice = _ratio(2 * shared, labeled + predicted)
    accuracy = _ratio(shared, labeled)
    boundary = _ratio(counts.boundary_intersection.sum(axis=0), counts.boundary_union.sum(axis=0))
    columns = zip(class_names, iou, dice, accuracy, boundary, labeled.tolist(), strict=True)
    return SegmentationMetrics(
        mIoU=_mean(iou),
        pixel_accuracy=_none_if_nan(_ratio(shared.sum(), labeled.sum())),
        mean_accuracy=_mean(accuracy),
        Dice=_mean(dice),
        boundary_IoU=_mean(boundary),
        per_class={
            name: ClassSegmentationMetrics(
                _none_if_nan(i), _none_if_nan(d), _none_if_nan(a), _none_if_nan(b), pixels
            )
            for name, i, d, a, b, pixels in columns
        },
    )


def miou_interval(
    counts: SegmentationCounts,
    *,
    groups: Int[np.ndarray, " P"] | None = None,
    resamples: int = MAX_RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> MIoUInterval | None:
    """The bootstrap interval of mIoU over photos. None with fewer than two photos or without labeled pixels.

    groups: a number for each photo, the same for photos that belong together

    The same seed gives the same interval.
    """
    if not counts.confusion.any():
        return None
    resampling = Resampling.of(len(counts.confusion), groups, resamples, seed)
    sample, per_class = iou_samples(counts.confusion, resampling)
    interval = confidence_interval(sample, confidence)
    if interval is None:
        return None
    of_class = tuple(None if one is None else confidence_interval(one, confidence) for one in per_class)
    return MIoUInterval(interval, of_class, confidence, len(sample.measured), resampling.num_groups)


def iou_samples(
    confusion: Int[np.ndarray, "P K K+1"], resampling: Resampling
) -> tuple[Sample, tuple[Sample | None, ...]]:
    """The mIoU and the IoU of each class on all photos and on each resample; None for an absent class."""
    shared = np.diagonal(confusion, axis1=1, axis2=2)
    union = confusion.sum(axis=2) + confusion[:, :, :-1].sum(axis=1) - shared
    once = np.ones((1, len(confusion)), dtype=np.int64)
    parts = [once, *resampling.weights()]
    iou = np.concatenate([_ratio(weights @ shared, weights @ union) for weights in parts])
    photos = (union > 0).sum(axis=0)  # in which each class occurs; few photos show little, as few objects do
    occurs = np.isfinite(iou)
    total, count = np.where(occurs, iou, 0.0).sum(axis=1), occurs.sum(axis=1)
    mean = np.divide(total, count, out=np.full(len(iou), np.nan), where=count > 0)
    groups = resampling.num_groups
    overall = Sample(float(mean[0]), mean[1:], groups, tuple(photos[photos > 0].tolist()))
    per_class = tuple(
        Sample(float(values[0]), values[1:], groups, (float(number),)) if number else None
        for values, number in zip(iou.T, photos, strict=True)
    )
    return overall, per_class


def _ratio(part: Int[np.ndarray, "*shape"], total: Int[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """part / total, NaN where total is 0."""
    ratio = np.full(np.shape(total), np.nan)
    np.divide(part, total, out=ratio, where=np.asarray(total) > 0)
    return ratio


def _mean(values: Float[np.ndarray, " K"]) -> float | None:
    measured = values[np.isfinite(values)]
    return float(measured.mean()) if measured.size else None


def _none_if_nan(value: float | Float[np.ndarray, ""]) -> float | None:
    return float(value) if np.isfinite(value) else None
