"""Boundary AP: how well outlines are followed, also those of large objects.

Cheng, Girshick, Dollár, Berg, Kirillov, "Boundary IoU: Improving Object-Centric Image Segmentation
Evaluation", CVPR 2021, arXiv 2103.16562. Mask IoU forgives a large object any blur of its rim. Boundary IoU
looks only at the pixels of each mask that lie within a distance d of its outline; Boundary AP is COCO's AP
with the smaller of the two IoUs.

The distance is that of the authors' code (boundary-iou-api): d = 2 % of the photo's diagonal, rounded, at
least 1, reached by eroding d times with 3 x 3 pixels (so it is counted in king's moves), and the photo's rim
counts as outline. For crowd regions, as there, mask IoU alone decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hotcoco import mask as hotcoco_mask
from jaxtyping import Bool
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import flatten, judged_objects, objects_by_class
from boxmask.evaluation.detection.bootstrap import ClassMatches, resampled_ap
from boxmask.evaluation.detection.coco import IOU_50, ClassAP
from boxmask.evaluation.detection.coco_masks import compressed, found_masks, object_masks
from boxmask.evaluation.detection.matching import IOUS, MOST, match
from boxmask.masks import Masks, Size
from boxmask.types import Detections

DILATION = 0.02  # of the photo's diagonal, the paper's for COCO: about 15 pixels there


@dataclass(frozen=True)
class BoundaryMetrics:
    """Boundary AP over IoU 0.50 to 0.95 and at 0.50, fractions; None without an outline to measure."""

    AP: float | None
    AP50: float | None
    per_class: dict[str, ClassAP]


@dataclass(frozen=True)
class _PhotoMatches:
    """One photo and class, best first: scores (D,), right (T, D), judged (T, D)."""

    photo: int
    scores: NDArray[np.float64]
    right: NDArray[np.bool_]
    judged: NDArray[np.bool_]


def boundary_metrics(dataset: DetectionDataset, detections: Sequence[Detections]) -> BoundaryMetrics:
    """Boundary AP of the detections of a data set's photos; `detections[i]` belongs to photo i.

    Crowd regions, difficult objects and those without outline count neither for nor against, as in `coco`.
    Raises ValueError where photos or class names differ, or detections have no masks.
    """
    matches = boundary_matches(dataset, detections)
    once = np.ones((1, len(dataset)), dtype=np.int64)
    objects = objects_by_class(dataset, "segm")
    per_class = {
        name: ClassAP(*_figures(resampled_ap([one], once)[0]), count)
        for name, one, count in zip(dataset.class_names, matches, objects, strict=True)
    }
    return BoundaryMetrics(*_figures(resampled_ap(matches, once)[0]), per_class)


def boundary_matches(dataset: DetectionDataset, detections: Sequence[Detections]) -> list[ClassMatches]:
    """Match detections to objects, photo by photo, and collect what came of it class by class."""
    flatten(dataset, detections)  # refuses what does not belong together
    order = np.argsort(dataset.image_ids, kind="stable")  # decides between equal scores, as in `coco`
    by_class: list[list[_PhotoMatches]] = [[] for _ in dataset.class_names]
    for photo in order.tolist():
        for label, one in _photo_matches(dataset, photo, detections[photo]):
            by_class[label].append(one)
    judged = judged_objects(dataset, "segm")
    photos = np.repeat(np.arange(len(dataset)), np.diff(dataset.offsets))
    return [
        _joined(parts, np.bincount(photos[judged & (dataset.labels == label)], minlength=len(dataset)))
        for label, parts in enumerate(by_class)
    ]


def boundaries(masks: Masks) -> Masks:
    """Of each mask, the pixels within the paper's distance of its outline."""
    distance = boundary_distance(masks.size)
    corners = [(x, y) for x, y, _, _ in masks.windows.tolist()]
    return Masks.from_crops([_rim(crop, distance) for crop in masks.crops()], corners, masks.size)


def boundary_distance(size: Size) -> int:
    """d in pixels for a photo of that size."""
    return max(1, round(DILATION * float(np.hypot(*size))))


def _rim(crop: Bool[np.ndarray, "h w"], distance: int) -> Bool[np.ndarray, "h w"]:
    """Outside of its window a mask has no pixel, so that eroding the window alone is exact."""
    side = 2 * distance + 1
    if min(crop.shape) < side:
        return crop
    core = crop.view(np.uint8)
    for axis in (0, 1):
        core = minimum_filter1d(core, side, axis=axis, mode="constant", cval=0)
    rim: NDArray[np.bool_] = crop & (core == 0)
    return rim


def _photo_matches(
    dataset: DetectionDataset, photo: int, found: Detections
) -> list[tuple[int, _PhotoMatches]]:
    """The photo's detections matched, by label."""
    rows = dataset.rows(photo)
    crowd = (dataset.crowd | ~dataset.has_mask)[rows]
    left_out = ~judged_objects(dataset, "segm")[rows]
    objects, masks = object_masks(dataset, photo), found_masks(found.masks)
    labels, scores = found.labels.cpu().numpy(), found.scores.cpu().double().numpy()
    matched = []
    for label in np.unique(labels).tolist():
        mine, theirs = np.flatnonzero(labels == label), np.flatnonzero(dataset.labels[rows] == label)
        best = mine[np.argsort(-scores[mine], kind="stable")][:MOST]
        overlaps = boundary_overlaps(masks[best], objects[theirs], crowd[theirs])
        right, judged = match(overlaps, crowd[theirs], left_out[theirs])
        matched.append((label, _PhotoMatches(photo, scores[best], right, judged)))
    return matched


def boundary_overlaps(found: Masks, objects: Masks, crowd: Bool[np.ndarray, " N"]) -> NDArray[np.float64]:
    """The smaller of mask IoU and boundary IoU: D masks, N masks -> (D, N); mask IoU alone for crowds."""
    if not len(found) or not len(objects):
        return np.zeros((len(found), len(objects)))
    flags = crowd.astype(np.int64).tolist()
    overlaps = np.asarray(hotcoco_mask.iou(compressed(found), compressed(objects), flags))
    rims = hotcoco_mask.iou(compressed(boundaries(found)), compressed(boundaries(objects)), flags)
    return np.where(crowd, overlaps, np.minimum(overlaps, rims))


def _joined(parts: Sequence[_PhotoMatches], objects: NDArray[np.int64]) -> ClassMatches:
    """One class's matches of all photos, best first."""
    nothing = np.zeros((len(IOUS), 0), dtype=np.bool_)
    scores = np.concatenate([np.zeros(0), *(part.scores for part in parts)])
    photos = np.repeat([part.photo for part in parts], [len(part.scores) for part in parts]).astype(np.int64)
    order = np.argsort(-scores, kind="stable")
    right = np.concatenate([nothing, *(part.right for part in parts)], axis=1)[:, order]
    judged = np.concatenate([nothing, *(part.judged for part in parts)], axis=1)[:, order]
    return ClassMatches(photos[order], right, judged, objects)


def _figures(ap: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """AP and AP50 of the APs at each IoU."""
    return (None, None) if np.isnan(ap[0]) else (float(ap.mean()), float(ap[IOU_50]))
