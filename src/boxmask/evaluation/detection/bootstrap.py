"""Confidence intervals of AP and AP50 for a small test set: the bootstrap over photos.

Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13: resample as many photos as there
are, with replacement, many times. The middle 95 % of the resulting metrics is the percentile interval. Photos
are resampled, not objects, because objects of the same photo are similar. Matching the detections of a photo
does not depend on other photos, so it is done once; a resample only weights the photos.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.contract import Interval
from boxmask.evaluation.detection.arrays import Kind, counted_objects
from boxmask.evaluation.detection.coco import ALL_SIZES, IOU_50, run_coco_eval
from boxmask.types import Detections

MAX_RESAMPLES = 1000
MIN_RESAMPLES = 200
MAX_WORK = 50_000_000  # resamples times detections: a few seconds on one core
RECALLS = np.linspace(0.0, 1.0, 101)  # as in COCO
NUM_IOUS = 10  # 0.50, 0.55 .. 0.95, as in COCO
CHUNK = 2_000_000  # array elements held at once: 16 MB


@dataclass(frozen=True)
class APIntervals:
    """Percentile intervals of AP and AP50.

    confidence: share of the resamples inside the interval
    resamples:  number of resamples of the photos
    """

    AP: Interval
    AP50: Interval
    confidence: float
    resamples: int


@dataclass(frozen=True)
class ClassMatches:
    """The matches of one class: D detections, highest score first, at T IoU thresholds, in P photos.

    photos:      (D,) int64
    correct:     (T, D) bool, matched to an object that counts
    counted:     (T, D) bool, False if matched to a crowd region or a difficult object
    num_objects: (P,) int64, objects that count
    """

    photos: Int[np.ndarray, " D"]
    correct: Bool[np.ndarray, "T D"]
    counted: Bool[np.ndarray, "T D"]
    num_objects: Int[np.ndarray, " P"]


def ap_intervals(
    dataset: DetectionDataset,
    detections: Sequence[Detections],
    kind: Kind = "bbox",
    *,
    resamples: int | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> APIntervals | None:
    """The intervals of COCO's AP and AP50. `detections[i]` belongs to photo i of `dataset`.

    None with fewer than two photos or without objects. `resamples` is 1,000 by default, and fewer, down to
    200, for more than 50,000 detections. The same seed gives the same intervals.
    """
    num_photos = len(dataset)
    if num_photos < 2 or not counted_objects(dataset, kind).any():
        return None
    matches = class_matches(dataset, detections, kind)
    resamples = _affordable_resamples(matches) if resamples is None else resamples
    uniform = np.full(num_photos, 1 / num_photos)
    weights = np.random.default_rng(seed).multinomial(num_photos, uniform, size=resamples)
    ap = resampled_ap(matches, weights)
    ap = ap[np.isfinite(ap[:, 0])]  # a resample may have no object
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    ap_ends = np.quantile(ap.mean(axis=1), tails).tolist()
    ap50_ends = np.quantile(ap[:, IOU_50], tails).tolist()
    return APIntervals(Interval(*ap_ends), Interval(*ap50_ends), confidence, len(ap))


def _affordable_resamples(matches: Sequence[ClassMatches]) -> int:
    num_detections = sum(len(of_class.photos) for of_class in matches)
    return max(MIN_RESAMPLES, min(MAX_RESAMPLES, MAX_WORK // max(1, num_detections)))


def resampled_ap(
    matches: Sequence[ClassMatches], weights: Int[np.ndarray, "B P"]
) -> Float[np.ndarray, "B T"]:
    """COCO's AP at each IoU if photo p occurs weights[b, p] times: (B, P) -> (B, T). NaN without objects."""
    total = np.zeros((len(weights), NUM_IOUS))
    num_classes = np.zeros((len(weights), 1))
    for of_class in matches:
        ap = _class_ap(of_class, weights)
        total += np.nan_to_num(ap)
        num_classes += np.isfinite(ap[:, :1])
    return np.divide(total, num_classes, out=np.full_like(total, np.nan), where=num_classes > 0)


def class_matches(
    dataset: DetectionDataset, detections: Sequence[Detections], kind: Kind = "bbox"
) -> list[ClassMatches]:
    """Match detections to objects by COCO's rules, per class (at most 100 detections per photo and class)."""
    entries: list[list[Mapping[str, Any]]] = [[] for _ in dataset.class_names]
    for entry in run_coco_eval(dataset, detections, kind, sizes=[ALL_SIZES]).eval_imgs:
        if entry is not None:
            entries[entry["category_id"] - 1].append(entry)
    order = np.argsort(dataset.image_ids, kind="stable")  # image id i + 1 is photo order[i]
    return [_collect(of_class, order) for of_class in entries]


def _collect(entries: Sequence[Mapping[str, Any]], order: Int[np.ndarray, " P"]) -> ClassMatches:
    """The matches of one class from pycocotools' entries, one per photo."""
    num_objects = np.zeros(len(order), dtype=np.int64)
    photos, scores = [np.zeros(0, np.int64)], [np.zeros(0)]
    matched, ignored = [np.zeros((NUM_IOUS, 0), bool)], [np.zeros((NUM_IOUS, 0), bool)]
    for entry in sorted(entries, key=lambda e: int(e["image_id"])):
        photo = order[int(entry["image_id"]) - 1]
        num_objects[photo] = np.sum(~np.asarray(entry["gtIgnore"], dtype=bool))
        scores.append(np.asarray(entry["dtScores"], dtype=np.float64))
        photos.append(np.full(len(scores[-1]), photo))
        matched.append(np.asarray(entry["dtMatches"]).reshape(NUM_IOUS, -1) > 0)
        ignored.append(np.asarray(entry["dtIgnore"], dtype=bool).reshape(NUM_IOUS, -1))
    by_score = np.argsort(-np.concatenate(scores), kind="stable")
    counted = ~np.concatenate(ignored, axis=1)[:, by_score]
    correct = np.concatenate(matched, axis=1)[:, by_score] & counted
    return ClassMatches(np.concatenate(photos)[by_score], correct, counted, num_objects)


def _class_ap(matches: ClassMatches, weights: Int[np.ndarray, "B P"]) -> Float[np.ndarray, "B T"]:
    """AP of one class at each IoU per resample: (B, P) -> (B, T). NaN without objects of the class."""
    num_objects = (weights @ matches.num_objects).astype(np.float64)
    small = weights.astype(np.int32)  # half the memory traffic
    step = max(1, CHUNK // max(1, len(matches.photos)))
    parts = [
        _chunk_ap(matches, small[i : i + step, matches.photos], num_objects[i : i + step])
        for i in range(0, len(weights), step)
    ]
    return np.concatenate(parts)


def _chunk_ap(
    matches: ClassMatches, weights: Int[np.ndarray, "B D"], num_objects: Float[np.ndarray, " B"]
) -> Float[np.ndarray, "B T"]:
    """AP of one class at each IoU per resample: the weight of each detection (B, D) -> (B, T)."""
    ap = np.full((len(weights), NUM_IOUS), np.nan)
    all_so_far = weights.cumsum(axis=1, dtype=np.int32)
    for t in range(NUM_IOUS):
        counted = matches.counted[t]
        counted_so_far = all_so_far if counted.all() else (weights * counted).cumsum(axis=1, dtype=np.int32)
        at = np.flatnonzero(matches.correct[t])  # precision peaks only there
        correct_so_far = weights[:, at].cumsum(axis=1, dtype=np.int32)
        ap[:, t] = _interpolated_ap(correct_so_far, counted_so_far[:, at], num_objects)
    return ap


def _interpolated_ap(
    correct: Int[np.ndarray, "B R"], counted: Int[np.ndarray, "B R"], num_objects: Float[np.ndarray, " B"]
) -> Float[np.ndarray, " B"]:
    """COCO's AP: the mean, over 101 recalls, of the highest precision at that recall or more.

    Correct and counted detections so far (B, R), (B, R), and objects (B,) -> (B,). NaN without objects.
    """
    precision = correct / np.maximum(counted, 1)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    has_objects = num_objects > 0
    recall = correct / np.where(has_objects, num_objects, 1.0)[:, None]
    levels = np.searchsorted(RECALLS, recall, side="right")  # how many of the 101 are reached so far
    ap = (np.diff(levels, axis=1, prepend=0) * envelope).sum(axis=1) / len(RECALLS)
    return np.where(has_objects, ap, np.nan)
