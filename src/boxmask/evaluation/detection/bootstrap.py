"""How far AP and AP50 may be off because the test set is small: the bootstrap over photos.

Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13: draw as many photos as there are,
with replacement, many times; the middle 95 % of the figures thus obtained is the percentile interval.
Photos are drawn, not objects, as the objects of a photo are alike. Matching a photo's detections to its
objects does not depend on the other photos, so it is done once; a draw only weighs the photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import Kind, judged_objects
from boxmask.evaluation.detection.coco import ALL_SIZES, IOU_50, coco_run
from boxmask.types import Detections

MOST, FEWEST = 1000, 200  # draws
WORK = 50_000_000  # draws times detections: some seconds on one core
RECALLS = np.linspace(0.0, 1.0, 101)  # COCO's
NUM_IOUS = 10  # COCO's 0.50, 0.55 .. 0.95
CHUNK = 2_000_000  # numbers held at once: 16 MB


@dataclass(frozen=True)
class Interval:
    """Percentile intervals of AP and AP50: (low, high), fractions.

    confidence: the share of the draws in between
    resamples:  how many draws of photos they rest on
    """

    AP: tuple[float, float]
    AP50: tuple[float, float]
    confidence: float
    resamples: int


@dataclass(frozen=True)
class ClassMatches:
    """What matching found for one class with D detections, best first, at T IoUs, in P photos.

    photos:  (D,) int64
    right:   (T, D) bool, matched to an object that counts
    judged:  (T, D) bool, False where matched to a crowd region or a difficult object
    objects: (P,) int64, the objects that count
    """

    photos: NDArray[np.int64]
    right: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    objects: NDArray[np.int64]


def ap_interval(
    dataset: DetectionDataset,
    detections: Sequence[Detections],
    kind: Kind = "bbox",
    *,
    resamples: int | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval | None:
    """The interval of COCO's AP and AP50 for the detections of a data set's photos.

    None with fewer than two photos, or without objects: nothing can be said then. `resamples` is 1,000
    unless said, and down to 200 where there are over 50,000 detections. The same seed gives the same
    interval.
    """
    photos = len(dataset)
    if photos < 2 or not judged_objects(dataset, kind).any():
        return None
    matches = class_matches(dataset, detections, kind)
    resamples = _affordable(matches) if resamples is None else resamples
    draws = np.random.default_rng(seed).multinomial(photos, np.full(photos, 1 / photos), size=resamples)
    ap = resampled_ap(matches, draws)
    ap = ap[np.isfinite(ap[:, 0])]  # a draw may hold no object
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    ap_low, ap_high = np.quantile(ap.mean(axis=1), tails)
    ap50_low, ap50_high = np.quantile(ap[:, IOU_50], tails)
    return Interval((float(ap_low), float(ap_high)), (float(ap50_low), float(ap50_high)), confidence, len(ap))


def _affordable(matches: Sequence[ClassMatches]) -> int:
    return max(FEWEST, min(MOST, WORK // max(1, sum(len(one.photos) for one in matches))))


def resampled_ap(matches: Sequence[ClassMatches], draws: NDArray[np.int64]) -> NDArray[np.float64]:
    """COCO's AP at each IoU, were photo p there draws[b, p] times: (B, P) -> (B, T), NaN without objects."""
    total = np.zeros((len(draws), NUM_IOUS))
    classes = np.zeros((len(draws), 1))
    for one in matches:
        ap = _class_ap(one, draws)
        total += np.nan_to_num(ap)
        classes += np.isfinite(ap[:, :1])
    return np.divide(total, classes, out=np.full_like(total, np.nan), where=classes > 0)


def class_matches(
    dataset: DetectionDataset, detections: Sequence[Detections], kind: Kind = "bbox"
) -> list[ClassMatches]:
    """Match detections to objects under COCO's rules (at most 100 a photo and class), class by class."""
    entries: list[list[dict[str, object]]] = [[] for _ in dataset.class_names]
    for entry in coco_run(dataset, detections, kind, sizes=[ALL_SIZES]).eval_imgs:
        if entry is not None:
            entries[entry["category_id"] - 1].append(entry)
    order = np.argsort(dataset.image_ids, kind="stable")  # image id i + 1 is photo order[i]
    return [_collect(of_class, order) for of_class in entries]


def _collect(entries: Sequence[dict[str, object]], order: NDArray[np.int64]) -> ClassMatches:
    objects = np.zeros(len(order), dtype=np.int64)
    photos, scores = [np.zeros(0, np.int64)], [np.zeros(0)]
    matched, ignored = [np.zeros((NUM_IOUS, 0), bool)], [np.zeros((NUM_IOUS, 0), bool)]
    for entry in sorted(entries, key=lambda e: int(str(e["image_id"]))):
        photo = order[int(str(entry["image_id"])) - 1]
        objects[photo] = np.sum(~np.asarray(entry["gtIgnore"], dtype=bool))
        scores.append(np.asarray(entry["dtScores"], dtype=np.float64))
        photos.append(np.full(len(scores[-1]), photo))
        matched.append(np.asarray(entry["dtMatches"]).reshape(NUM_IOUS, -1) > 0)
        ignored.append(np.asarray(entry["dtIgnore"], dtype=bool).reshape(NUM_IOUS, -1))
    best_first = np.argsort(-np.concatenate(scores), kind="stable")
    judged = ~np.concatenate(ignored, axis=1)[:, best_first]
    right = np.concatenate(matched, axis=1)[:, best_first] & judged
    return ClassMatches(np.concatenate(photos)[best_first], right, judged, objects)


def _class_ap(matches: ClassMatches, draws: NDArray[np.int64]) -> NDArray[np.float64]:
    """One class's AP at each IoU for each draw: (B, P) -> (B, T), NaN where the draw has no object of it."""
    objects = (draws @ matches.objects).astype(np.float64)
    small = draws.astype(np.int32)  # half the memory to walk through
    step = max(1, CHUNK // max(1, len(matches.photos)))
    parts = [
        _chunk_ap(matches, small[i : i + step, matches.photos], objects[i : i + step])
        for i in range(0, len(draws), step)
    ]
    return np.concatenate(parts)


def _chunk_ap(
    matches: ClassMatches, weights: NDArray[np.int32], objects: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`weights` (B, D) says how often each detection is there, `objects` (B,) how many there are to find."""
    ap = np.full((len(weights), NUM_IOUS), np.nan)
    everything = weights.cumsum(axis=1, dtype=np.int32)
    for t in range(NUM_IOUS):
        judged = matches.judged[t]
        seen = everything if judged.all() else (weights * judged).cumsum(axis=1, dtype=np.int32)
        at = np.flatnonzero(matches.right[t])  # precision only peaks there
        ap[:, t] = _interpolated(weights[:, at].cumsum(axis=1, dtype=np.int32), seen[:, at], objects)
    return ap


def _interpolated(
    right: NDArray[np.int32], seen: NDArray[np.int32], objects: NDArray[np.float64]
) -> NDArray[np.float64]:
    """COCO's AP, the mean over 101 recalls of the best precision from there on.

    (B, R) right so far, (B, R) seen so far, (B,) objects to find -> (B,); NaN where there are none.
    """
    precision = right / np.maximum(seen, 1)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    has_objects = objects > 0
    recall = right / np.where(has_objects, objects, 1.0)[:, None]
    levels = np.searchsorted(RECALLS, recall, side="right")  # how many of the 101 are reached so far
    ap = (np.diff(levels, axis=1, prepend=0) * envelope).sum(axis=1) / len(RECALLS)
    return np.where(has_objects, ap, np.nan)
