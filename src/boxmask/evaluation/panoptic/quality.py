"""Panoptic quality: how well a photo is divided into objects ("things") and background classes ("stuff").

Kirillov, He, Girshick, Rother, Dollár, "Panoptic Segmentation", CVPR 2019, arXiv 1801.00868. Every pixel
belongs to one segment or to none. A predicted and a labeled segment of the same class match if their IoU is
over 0.5; at most one pair can (section 4.1). For each class,

    PQ = sum of the matched IoUs / (TP + FP / 2 + FN / 2) = SQ x RQ    (section 4.2)

Pixels without a label ("void") do not count, and neither do crowd regions: a predicted segment that lies in
them by more than half is not wrong (section 4.2, "void labels" and "group labels", as in panopticapi, where
void is also left out of the union). Overall metrics are means over the classes that occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from boxmask.evaluation.panoptic.merge import VOID, PanopticMap

MIN_IOU = 0.5  # section 4.1; must be exceeded
MAX_VOID = 0.5  # share of a predicted segment in void or a crowd region, section 4.2


@dataclass(frozen=True)
class Quality:
    """Panoptic, segmentation and recognition quality, fractions. None if no segment has the class."""

    PQ: float | None
    SQ: float | None
    RQ: float | None


NOT_MEASURED = Quality(None, None, None)


@dataclass(frozen=True)
class PanopticMetrics:
    """Quality over all classes, over things, over stuff, and of each class."""

    all: Quality
    things: Quality
    stuff: Quality
    per_class: dict[str, Quality]


def panoptic_quality(truth: Sequence[PanopticMap], predicted: Sequence[PanopticMap]) -> PanopticMetrics:
    """Evaluate predicted maps. `predicted[i]` belongs to the same photo as `truth[i]`.

    Raises ValueError if their number, sizes or classes differ.
    """
    _check_comparable(truth, predicted)
    names, things = (truth[0].class_names, truth[0].things) if truth else ((), ())
    sums = np.zeros((len(names), 4))  # IoU, TP, FP, FN
    for labeled, found in zip(truth, predicted, strict=True):
        sums += _photo_sums(labeled, found)
    qualities = [_quality(*row) for row in sums]
    return PanopticMetrics(
        all=_mean(qualities),
        things=_mean([quality for quality, thing in zip(qualities, things, strict=True) if thing]),
        stuff=_mean([quality for quality, thing in zip(qualities, things, strict=True) if not thing]),
        per_class=dict(zip(names, qualities, strict=True)),
    )


def _check_comparable(truth: Sequence[PanopticMap], predicted: Sequence[PanopticMap]) -> None:
    if len(truth) != len(predicted):
        raise ValueError(f"predicted: expected maps of {len(truth)} photos, found {len(predicted)}")
    for each in (*truth, *predicted):
        if (each.class_names, each.things) != (truth[0].class_names, truth[0].things):
            raise ValueError(f"classes: expected {truth[0].class_names}, found {each.class_names}")
    for labeled, found in zip(truth, predicted, strict=True):
        if labeled.segments.shape != found.segments.shape:
            raise ValueError(f"size: expected {labeled.segments.shape}, found {found.segments.shape}")


def _photo_sums(truth: PanopticMap, predicted: PanopticMap) -> Float[np.ndarray, "K 4"]:
    """For each class: the sum of the matched IoUs, and the matched, wrong and missed segments."""
    shared = _shared_pixels(truth, predicted)
    areas, in_void = shared.sum(axis=0)[1:], shared[VOID, 1:]
    same_class = truth.labels[:, None] == predicted.labels[None, :]
    counted = ~truth.crowd
    intersection = shared[1:, 1:]
    union = shared[1:].sum(axis=1)[:, None] + (areas - in_void)[None, :] - intersection
    iou = np.where(same_class & counted[:, None], intersection / np.maximum(union, 1), 0.0)
    match = iou > MIN_IOU
    in_crowd = (intersection * (same_class & truth.crowd[:, None])).sum(axis=0)
    excused = (in_void + in_crowd) > MAX_VOID * areas
    wrong, missed = ~match.any(axis=0) & ~excused, ~match.any(axis=1) & counted
    num_classes = len(truth.class_names)
    columns = [
        np.bincount(truth.labels, (iou * match).sum(axis=1), num_classes),
        np.bincount(truth.labels[match.any(axis=1)], minlength=num_classes),
        np.bincount(predicted.labels[wrong], minlength=num_classes),
        np.bincount(truth.labels[missed], minlength=num_classes),
    ]
    return np.stack(columns, axis=1)


def _shared_pixels(truth: PanopticMap, predicted: PanopticMap) -> Int[np.ndarray, "S+1 R+1"]:
    """The number of pixels of each pair of labeled and predicted segments. Row and column 0 are void."""
    rows, columns = len(truth.labels) + 1, len(predicted.labels) + 1
    pairs = truth.segments.astype(np.int64).ravel() * columns + predicted.segments.ravel()
    return np.bincount(pairs, minlength=rows * columns).reshape(rows, columns)


def _quality(iou: float, matched: float, wrong: float, missed: float) -> Quality:
    """The equation of section 4.2."""
    segments = matched + wrong / 2 + missed / 2
    if not segments:
        return NOT_MEASURED
    sq = iou / matched if matched else 0.0
    return Quality(float(iou / segments), float(sq), float(matched / segments))


def _mean(qualities: Sequence[Quality]) -> Quality:
    """Each metric averaged over the classes that occur."""
    rows = [(quality.PQ, quality.SQ, quality.RQ) for quality in qualities if quality.PQ is not None]
    return Quality(*np.mean(np.array(rows, dtype=np.float64), axis=0).tolist()) if rows else NOT_MEASURED
