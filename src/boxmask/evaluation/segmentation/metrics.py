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
from boxmask.types import IGNORED

RESAMPLES = 1000


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
    """Percentile interval of mIoU, from a bootstrap over photos as in `evaluation.detection.bootstrap`.

    confidence: share of the resamples inside the interval
    resamples:  number of resamples of the photos
    """

    mIoU: Interval
    confidence: float
    resamples: int


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
    counts: SegmentationCounts, *, resamples: int = RESAMPLES, confidence: float = 0.95, seed: int = 0
) -> MIoUInterval | None:
    """The bootstrap interval of mIoU over photos. None with fewer than two photos or without labeled pixels.

    The same seed gives the same interval.
    """
    num_photos = len(counts.confusion)
    if num_photos < 2 or not counts.confusion.any():
        return None
    shared = np.diagonal(counts.confusion, axis1=1, axis2=2)
    union = counts.confusion.sum(axis=2) + counts.confusion[:, :, :-1].sum(axis=1) - shared
    uniform = np.full(num_photos, 1 / num_photos)
    weights = np.random.default_rng(seed).multinomial(num_photos, uniform, size=resamples)
    iou = _ratio(weights @ shared, weights @ union)
    iou = iou[np.isfinite(iou).any(axis=1)]  # a resample may have no labeled pixel
    low, high = np.quantile(np.nanmean(iou, axis=1), [(1 - confidence) / 2, (1 + confidence) / 2]).tolist()
    return MIoUInterval(Interval(low, high), confidence, len(iou))


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
