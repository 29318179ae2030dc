"""Detections matched to objects by COCO's rules, class by class, and the AP that follows for any photos.

Matching the detections of a photo does not depend on other photos, so it is done once. If the photos are
drawn again, only the weight of each changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import Kind, flatten, objects_per_class_and_photo
from boxmask.evaluation.detection.coco import ALL_SIZES, run_coco_eval
from boxmask.evaluation.detection.grouping import group_by_photo_and_class, to_xywh
from boxmask.evaluation.detection.matching import IOUS, MAX_DETECTIONS, RECALLS
from boxmask.kernels.matching_loops import coco_matches
from boxmask.kernels.precision_loops import resampled_precision
from boxmask.kernels.threads import parallel_for
from boxmask.types import Detections

NUM_IOUS = len(IOUS)


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


def class_matches(
    dataset: DetectionDataset, detections: Sequence[Detections], kind: Kind = "bbox"
) -> list[ClassMatches]:
    """Match detections to objects by COCO's rules, per class (at most 100 detections per photo and class)."""
    return _mask_matches(dataset, detections) if kind == "segm" else _box_matches(dataset, detections)


def resampled_ap(
    matches: Sequence[ClassMatches], weights: Int[np.ndarray, "B P"]
) -> Float[np.ndarray, "B T"]:
    """COCO's AP at each IoU if photo p occurs weights[b, p] times: (B, P) -> (B, T). NaN without objects."""
    return mean_over_classes(resampled_class_ap(matches, weights))


def resampled_class_ap(
    matches: Sequence[ClassMatches], weights: Int[np.ndarray, "B P"]
) -> Float[np.ndarray, "K B T"]:
    """The same for each of K classes: (B, P) -> (K, B, T). NaN without objects of the class."""
    ap = np.empty((len(matches), len(weights), NUM_IOUS))
    small = np.ascontiguousarray(weights, dtype=np.int32)

    def fill(k: int) -> None:
        of_class = matches[k]
        hits = np.nonzero(of_class.correct)
        ends = np.cumsum(np.bincount(hits[0], minlength=NUM_IOUS))
        photos, places = of_class.photos.astype(np.int32), hits[1].astype(np.int32)
        resampled_precision(
            photos, places, ends, of_class.counted, of_class.num_objects, small, RECALLS, ap[k]
        )

    parallel_for(fill, sorted(range(len(matches)), key=lambda k: -len(matches[k].photos)))
    return ap


def mean_over_classes(ap: Float[np.ndarray, "K B T"]) -> Float[np.ndarray, "B T"]:
    """The mean over the classes with objects: (K, B, T) -> (B, T). NaN if there are none."""
    measured = np.isfinite(ap)
    count = measured.sum(axis=0)
    total = np.where(measured, ap, 0.0).sum(axis=0)
    mean = np.full(total.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


# ---------------------------------------------------------------- matching


def _box_matches(dataset: DetectionDataset, detections: Sequence[Detections]) -> list[ClassMatches]:
    flat = flatten(dataset, detections)
    groups = group_by_photo_and_class(dataset, flat)
    correct, counted = coco_matches(
        to_xywh(flat.boxes[groups.rows]),
        groups.starts,
        to_xywh(dataset.boxes[groups.objects]),
        groups.first,
        groups.last,
        dataset.crowd[groups.objects],
        ~dataset.counted[groups.objects],
        IOUS,
        MAX_DETECTIONS,
    )
    is_listed = _rank_in_group(groups.starts) < MAX_DETECTIONS
    labels, photos, scores = flat.labels[groups.rows], flat.photos[groups.rows], flat.scores[groups.rows]
    ends = np.searchsorted(labels, np.arange(len(dataset.class_names) + 1))
    objects = objects_per_class_and_photo(dataset)
    matches = []
    for k, (start, end) in enumerate(pairwise(ends)):
        listed = start + np.flatnonzero(is_listed[start:end])
        order = listed[np.argsort(-scores[listed], kind="stable")]
        matches.append(ClassMatches(photos[order], correct[:, order], counted[:, order], objects[k]))
    return matches


def _rank_in_group(starts: Int[np.ndarray, " G+1"]) -> Int[np.ndarray, " M"]:
    """The place of each detection in its group, from 0."""
    return np.asarray(np.arange(starts[-1]) - np.repeat(starts[:-1], np.diff(starts)))


def _mask_matches(dataset: DetectionDataset, detections: Sequence[Detections]) -> list[ClassMatches]:
    entries: list[list[Mapping[str, Any]]] = [[] for _ in dataset.class_names]
    for entry in run_coco_eval(dataset, detections, "segm", sizes=[ALL_SIZES]).eval_imgs:
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
