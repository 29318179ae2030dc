"""Boundary AP: how closely masks follow the contour of objects, large objects included.

Cheng, Girshick, Dollár, Berg, Kirillov, "Boundary IoU: Improving Object-Centric Image Segmentation
Evaluation", CVPR 2021, arXiv 2103.16562. Mask IoU forgives a blurred contour of a large object. Boundary IoU
compares only the pixels of each mask within a distance d of its contour. Boundary AP is COCO's AP with the
smaller of the two IoUs.

The distance follows the authors' code (boundary-iou-api): d = 2 % of the photo's diagonal, rounded, at least
1. It is reached by eroding d times with 3 x 3 pixels (a Chebyshev distance), and the edge of the photo counts
as contour. For crowd regions, as there, mask IoU alone decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from hotcoco import mask as hotcoco_mask
from jaxtyping import Bool, Float, Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import (
    flatten,
    objects_per_class,
    objects_per_class_and_photo,
)
from boxmask.evaluation.detection.class_matches import ClassMatches, resampled_ap
from boxmask.evaluation.detection.coco import IOU_50, ClassAP
from boxmask.evaluation.detection.coco_masks import object_masks, require_masks, to_coco_rle
from boxmask.evaluation.detection.matching import IOUS, MAX_DETECTIONS, match
from boxmask.masks import Masks, Size
from boxmask.types import Detections

DILATION = 0.02  # distance as a fraction of the photo's diagonal; the paper's for COCO, about 15 pixels


@dataclass(frozen=True)
class BoundaryMetrics:
    """Boundary AP over IoU 0.50 to 0.95 and at 0.50, fractions. None without masks to measure."""

    AP: float | None
    AP50: float | None
    per_class: dict[str, ClassAP]


@dataclass(frozen=True)
class _PhotoMatches:
    """The matches of one photo and class: D detections, highest score first, at T IoU thresholds."""

    photo: int
    scores: Float[np.ndarray, " D"]
    correct: Bool[np.ndarray, "T D"]
    counted: Bool[np.ndarray, "T D"]


def boundary_metrics(dataset: DetectionDataset, detections: Sequence[Detections]) -> BoundaryMetrics:
    """Boundary AP of detections. `detections[i]` belongs to photo i of `dataset`.

    Crowd regions, difficult objects and objects without a mask count neither for nor against, as in `coco`.
    Raises ValueError if photos or class names differ, or if detections have no masks.
    """
    matches = boundary_matches(dataset, detections)
    every_photo_once = np.ones((1, len(dataset)), dtype=np.int64)
    objects = objects_per_class(dataset, "segm")
    per_class = {
        name: ClassAP(*_ap_and_ap50(resampled_ap([of_class], every_photo_once)[0]), count)
        for name, of_class, count in zip(dataset.class_names, matches, objects, strict=True)
    }
    return BoundaryMetrics(*_ap_and_ap50(resampled_ap(matches, every_photo_once)[0]), per_class)


def boundary_matches(dataset: DetectionDataset, detections: Sequence[Detections]) -> list[ClassMatches]:
    """Match detections to objects, photo by photo, and collect the matches per class."""
    flatten(dataset, detections)  # checks that detections and data set belong together
    order = np.argsort(dataset.image_ids, kind="stable")  # breaks ties between equal scores, as in `coco`
    by_class: list[list[_PhotoMatches]] = [[] for _ in dataset.class_names]
    for photo in order.tolist():
        for label, matches in _photo_matches(dataset, photo, detections[photo]):
            by_class[label].append(matches)
    num_objects = objects_per_class_and_photo(dataset, "segm")
    return [_concatenate(parts, counts) for parts, counts in zip(by_class, num_objects, strict=True)]


def boundaries(masks: Masks) -> Masks:
    """The pixels of each mask within the paper's distance of its contour."""
    distance = boundary_distance(masks.size)
    corners = [(x, y) for x, y, _, _ in masks.windows.tolist()]
    return Masks.from_crops([_boundary(crop, distance) for crop in masks.crops()], corners, masks.size)


def boundary_distance(size: Size) -> int:
    """d in pixels for a photo of `size`."""
    return max(1, round(DILATION * float(np.hypot(*size))))


def _boundary(crop: Bool[np.ndarray, "h w"], distance: int) -> Bool[np.ndarray, "h w"]:
    """Eroding the window alone is exact: a mask has no pixel outside its window."""
    side = 2 * distance + 1
    if min(crop.shape) < side:
        return crop
    core = crop.view(np.uint8)
    for axis in (0, 1):
        core = scipy.ndimage.minimum_filter1d(core, side, axis=axis, mode="constant", cval=0)
    return np.asarray(crop & (core == 0))


def _photo_matches(
    dataset: DetectionDataset, photo: int, detections: Detections
) -> list[tuple[int, _PhotoMatches]]:
    """The matches of one photo, by label."""
    rows = dataset.rows(photo)
    known = dataset.has_mask[rows]
    crowd, ignored = dataset.crowd[rows] | ~known, ~(dataset.counted[rows] & known)
    objects, masks = object_masks(dataset, photo), require_masks(detections.masks)
    labels, scores = detections.labels, detections.scores.astype(np.float64)
    matches = []
    for label in np.unique(labels).tolist():
        of_class = np.flatnonzero(labels == label)
        top = of_class[np.argsort(-scores[of_class], kind="stable")][:MAX_DETECTIONS]
        targets = np.flatnonzero(dataset.labels[rows] == label)
        overlaps = boundary_overlaps(masks[top], objects[targets], crowd[targets])
        correct, counted = match(overlaps, crowd[targets], ignored[targets])
        matches.append((label, _PhotoMatches(photo, scores[top], correct, counted)))
    return matches


def boundary_overlaps(
    detected: Masks, objects: Masks, crowd: Bool[np.ndarray, " N"]
) -> Float[np.ndarray, "D N"]:
    """The smaller of mask IoU and boundary IoU: D masks, N masks -> (D, N). For crowds, mask IoU alone."""
    if not len(detected) or not len(objects):
        return np.zeros((len(detected), len(objects)))
    is_crowd = crowd.astype(np.int64).tolist()
    mask_iou = np.asarray(hotcoco_mask.iou(to_coco_rle(detected), to_coco_rle(objects), is_crowd))
    boundary_iou = hotcoco_mask.iou(
        to_coco_rle(boundaries(detected)), to_coco_rle(boundaries(objects)), is_crowd
    )
    return np.where(crowd, mask_iou, np.minimum(mask_iou, boundary_iou))


def _concatenate(parts: Sequence[_PhotoMatches], num_objects: Int[np.ndarray, " P"]) -> ClassMatches:
    """The matches of one class in all photos, highest score first."""
    nothing = np.zeros((len(IOUS), 0), dtype=np.bool_)
    scores = np.concatenate([np.zeros(0), *(part.scores for part in parts)])
    photos = np.repeat([part.photo for part in parts], [len(part.scores) for part in parts]).astype(np.int64)
    by_score = np.argsort(-scores, kind="stable")
    correct = np.concatenate([nothing, *(part.correct for part in parts)], axis=1)[:, by_score]
    counted = np.concatenate([nothing, *(part.counted for part in parts)], axis=1)[:, by_score]
    return ClassMatches(photos[by_score], correct, counted, num_objects)


def _ap_and_ap50(ap: Float[np.ndarray, " T"]) -> tuple[float | None, float | None]:
    """AP and AP50 from the AP at each IoU."""
    return (None, None) if np.isnan(ap[0]) else (float(ap.mean()), float(ap[IOU_50]))
