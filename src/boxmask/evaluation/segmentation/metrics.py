"""The figures of a segmenter: mIoU and its kin, by class, with an interval.

All but the boundary IoU follow from the confusion matrix over all pixels of all photos, as in Long et al.
2015 (arXiv:1411.4038, section 5) and mmsegmentation's IoUMetric: a class's IoU is
shared / (labeled + predicted - shared), Dice is 2 shared / (labeled + predicted), accuracy is
shared / labeled. mIoU and Dice are means over the classes that occur in the labels or the predictions, mean
accuracy over those that occur in the labels. Pixels of which nothing is said count nowhere, whatever was
predicted there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hotcoco.semantic import SemanticEval
from jaxtyping import Int, UInt8
from numpy.typing import NDArray

from boxmask.types import IGNORED

RESAMPLES = 1000


@dataclass(frozen=True)
class ClassSegmentationMetrics:
    """One class: fractions in 0..1, None where it occurs neither in labels nor in predictions.

    accuracy: of its labeled pixels, those that were found (recall); None without labeled pixels
    pixels:   how many are labeled so
    """

    IoU: float | None
    Dice: float | None
    accuracy: float | None
    boundary_IoU: float | None
    pixels: int


@dataclass(frozen=True)
class SegmentationMetrics:
    """Fractions in 0..1 over all classes; None where no pixel is labeled."""

    mIoU: float | None
    pixel_accuracy: float | None
    mean_accuracy: float | None
    Dice: float | None
    boundary_IoU: float | None
    per_class: dict[str, ClassSegmentationMetrics]


@dataclass(frozen=True)
class SegmentationInterval:
    """Percentile interval of mIoU, (low, high), from draws of photos (see `interval.py`)."""

    mIoU: tuple[float, float]
    confidence: float
    resamples: int


@dataclass(frozen=True)
class SegmentationCounts:
    """What P photos say of K classes.

    confusion: (P, K, K + 1) pixels by label and prediction; the last column is any other class
    shared:    (P, K) pixels in both rims
    either:    (P, K) pixels in a rim of the label or of the prediction
    """

    confusion: Int[np.ndarray, "P K K+1"]
    shared: Int[np.ndarray, "P K"]
    either: Int[np.ndarray, "P K"]


def confusion(
    truth: UInt8[np.ndarray, "H W"], predicted: UInt8[np.ndarray, "H W"], k: int
) -> Int[np.ndarray, "K K+1"]:
    """Pixels by label and prediction, (H, W), (H, W) -> (K, K + 1); a prediction of K is any other class."""
    run = SemanticEval(k + 1, ignore_index=IGNORED)
    run.update(np.ascontiguousarray(truth), np.ascontiguousarray(predicted))
    matrix: NDArray[np.int64] = run.confusion().astype(np.int64)
    return matrix[:k]


def segmentation_metrics(counts: SegmentationCounts, class_names: Sequence[str]) -> SegmentationMetrics:
    """The figures over all photos together."""
    total = counts.confusion.sum(axis=0)
    shared, labeled, predicted = np.diagonal(total), total.sum(axis=1), total[:, :-1].sum(axis=0)
    iou = _ratio(shared, labeled + predicted - shared)
    dice = _ratio(2 * shared, labeled + predicted)
    accuracy = _ratio(shared, labeled)
    boundary = _ratio(counts.shared.sum(axis=0), counts.either.sum(axis=0))
    columns = zip(class_names, iou, dice, accuracy, boundary, labeled.tolist(), strict=True)
    return SegmentationMetrics(
        mIoU=_mean(iou),
        pixel_accuracy=_known(_ratio(shared.sum(), labeled.sum())),
        mean_accuracy=_mean(accuracy),
        Dice=_mean(dice),
        boundary_IoU=_mean(boundary),
        per_class={
            name: ClassSegmentationMetrics(_known(i), _known(d), _known(a), _known(b), pixels)
            for name, i, d, a, b, pixels in columns
        },
    )


def miou_interval(
    counts: SegmentationCounts, *, resamples: int = RESAMPLES, confidence: float = 0.95, seed: int = 0
) -> SegmentationInterval | None:
    """The bootstrap interval of mIoU over photos; None with fewer than two, or without labeled pixels.

    The same seed gives the same interval.
    """
    photos = len(counts.confusion)
    if photos < 2 or not counts.confusion.any():
        return None
    shared = np.diagonal(counts.confusion, axis1=1, axis2=2)
    either = counts.confusion.sum(axis=2) + counts.confusion[:, :, :-1].sum(axis=1) - shared
    draws = np.random.default_rng(seed).multinomial(photos, np.full(photos, 1 / photos), size=resamples)
    iou = _ratio(draws @ shared, draws @ either)
    iou = iou[np.isfinite(iou).any(axis=1)]  # a draw may hold no labeled pixel
    low, high = np.quantile(np.nanmean(iou, axis=1), [(1 - confidence) / 2, (1 + confidence) / 2])
    return SegmentationInterval((float(low), float(high)), confidence, len(iou))


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """NaN where there is nothing to divide by."""
    ratio = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=ratio, where=np.asarray(whole) > 0)
    return ratio


def _mean(figures: NDArray[np.float64]) -> float | None:
    measured = figures[np.isfinite(figures)]
    return float(measured.mean()) if measured.size else None


def _known(figure: Any) -> float | None:
    return float(figure) if np.isfinite(figure) else None
