"""Panoptic quality: how well a photo is divided into objects ("things") and grounds ("stuff").

Kirillov, He, Girshick, Rother, Dollár, "Panoptic Segmentation", CVPR 2019, arXiv 1801.00868. Every pixel
belongs to one segment or to none. A found and a labeled segment of the same class match where their IoU is
over 0.5, which at most one pair can (section 4.1). Of a class,

    PQ = sum of the matched IoUs / (TP + FP / 2 + FN / 2) = SQ x RQ    (section 4.2)

Pixels that the labels leave open ("void") do not count, and neither do crowd regions: a found segment that
lies in them by more than half is not wrong (section 4.2, "void labels" and "group labels", in the form of
panopticapi, where void also leaves the union). Figures are means over the classes that occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxmask.evaluation.panoptic.merge import VOID, PanopticMap

MIN_IOU = 0.5  # section 4.1; to be exceeded
MOST_OPEN = 0.5  # of a found segment in void or a crowd region, section 4.2; to be exceeded


@dataclass(frozen=True)
class Quality:
    """Panoptic, segmentation and recognition quality, fractions; None where no segment is of it."""

    PQ: float | None
    SQ: float | None
    RQ: float | None


@dataclass(frozen=True)
class PanopticMetrics:
    """Over all classes, over things, over stuff, and of each class."""

    all: Quality
    things: Quality
    stuff: Quality
    per_class: dict[str, Quality]


def panoptic_quality(truth: Sequence[PanopticMap], found: Sequence[PanopticMap]) -> PanopticMetrics:
    """Judge the maps of photos; `found[i]` is of the same photo as `truth[i]`.

    Raises ValueError where their number, sizes or classes differ.
    """
    _require_alike(truth, found)
    names, things = (truth[0].class_names, truth[0].things) if truth else ((), ())
    sums = np.zeros((len(names), 4))  # IoU, TP, FP, FN
    for labeled, map_ in zip(truth, found, strict=True):
        sums += _photo_sums(labeled, map_)
    qualities = [_quality(*row) for row in sums]
    return PanopticMetrics(
        all=_mean(qualities),
        things=_mean([one for one, thing in zip(qualities, things, strict=True) if thing]),
        stuff=_mean([one for one, thing in zip(qualities, things, strict=True) if not thing]),
        per_class=dict(zip(names, qualities, strict=True)),
    )


def _require_alike(truth: Sequence[PanopticMap], found: Sequence[PanopticMap]) -> None:
    if len(truth) != len(found):
        raise ValueError(f"expected maps of {len(truth)} photos, found {len(found)}")
    for one in (*truth, *found):
        if (one.class_names, one.things) != (truth[0].class_names, truth[0].things):
            raise ValueError(f"classes: expected {truth[0].class_names}, found {one.class_names}")
    for labeled, map_ in zip(truth, found, strict=True):
        if labeled.segments.shape != map_.segments.shape:
            raise ValueError(f"size: expected {labeled.segments.shape}, found {map_.segments.shape}")


def _photo_sums(truth: PanopticMap, found: PanopticMap) -> NDArray[np.float64]:
    """(K, 4): of each class the matched IoUs, the matches, the wrong and the missed segments."""
    shared = _shared_pixels(truth, found)
    areas, open_pixels = shared.sum(axis=0)[1:], shared[VOID, 1:]
    same = truth.labels[:, None] == found.labels[None, :]
    counted = ~truth.crowd
    inside = shared[1:, 1:]
    union = shared[1:].sum(axis=1)[:, None] + (areas - open_pixels)[None, :] - inside
    iou = np.where(same & counted[:, None], inside / np.maximum(union, 1), 0.0)
    hit = iou > MIN_IOU
    in_crowd = (inside * (same & truth.crowd[:, None])).sum(axis=0)
    excused = (open_pixels + in_crowd) > MOST_OPEN * areas
    wrong, missed = ~hit.any(axis=0) & ~excused, ~hit.any(axis=1) & counted
    columns = [
        np.bincount(truth.labels, (iou * hit).sum(axis=1), len(truth.class_names)),
        *(
            np.bincount(labels, minlength=len(truth.class_names))
            for labels in (truth.labels[hit.any(axis=1)], found.labels[wrong], truth.labels[missed])
        ),
    ]
    return np.stack(columns, axis=1)


def _shared_pixels(truth: PanopticMap, found: PanopticMap) -> NDArray[np.int64]:
    """(S + 1, S' + 1): the pixels of each pair of segments; row and column 0 are void."""
    rows, columns = len(truth.labels) + 1, len(found.labels) + 1
    pairs = truth.segments.astype(np.int64).ravel() * columns + found.segments.ravel()
    return np.bincount(pairs, minlength=rows * columns).reshape(rows, columns)


def _quality(iou: float, right: float, wrong: float, missed: float) -> Quality:
    """The equation of section 4.2."""
    segments = right + wrong / 2 + missed / 2
    if not segments:
        return Quality(None, None, None)
    sq = iou / right if right else 0.0
    return Quality(float(iou / segments), float(sq), float(right / segments))


def _mean(qualities: Sequence[Quality]) -> Quality:
    """Over the classes that occur, each figure for itself."""
    rows = [(one.PQ, one.SQ, one.RQ) for one in qualities if one.PQ is not None]
    return Quality(*np.mean(np.array(rows, dtype=np.float64), axis=0).tolist()) if rows else _NOTHING


_NOTHING = Quality(None, None, None)
