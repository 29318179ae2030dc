"""Which detections of a photo are right, and which objects they found, at IoU 0.5 as in COCO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from hotcoco import mask as hotcoco_mask
from jaxtyping import Bool, Float

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.coco_masks import object_masks, to_coco_rle
from boxmask.geometry.boxes import coverage, iou
from boxmask.types import Detections

MIN_IOU = 0.5

Verdict = Literal["right", "wrong", "ignored"]


@dataclass(frozen=True)
class PhotoMatches:
    """The outcome of each of D detections, and for each of N objects whether it was found.

    found_score: (N,) score of the detection that found the object; -1 if none did
    """

    verdicts: tuple[Verdict, ...]
    found_score: Float[np.ndarray, " N"]


def match_photo(
    dataset: DetectionDataset, photo: int, detections: Detections, *, by_mask: bool
) -> PhotoMatches:
    """Match the detections, highest score first, each with the free object that it overlaps most.

    detections: with the class names of the data set; only objects of the same class are matched
    by_mask:    whether masks are compared instead of boxes

    Detections of crowd regions, of difficult objects and of objects without a mask are "ignored".
    """
    rows = dataset.rows(photo)
    labels, crowd = dataset.labels[rows], dataset.crowd[rows]
    ignored = ~dataset.counted[rows]
    if by_mask:
        ignored = ignored | ~dataset.has_mask[rows]
        crowd = crowd | ~dataset.has_mask[rows]
    overlaps = _overlaps(dataset, photo, detections, crowd, by_mask=by_mask)
    overlaps[detections.labels[:, None] != labels[None, :]] = 0.0
    return _match(overlaps, detections.scores, crowd, ignored)


def _match(
    overlaps: Float[np.ndarray, "D N"],
    scores: Float[np.ndarray, " D"],
    crowd: Bool[np.ndarray, " N"],
    ignored: Bool[np.ndarray, " N"],
) -> PhotoMatches:
    free = np.ones(len(crowd), dtype=np.bool_)
    found_score = np.full(len(crowd), -1.0)
    verdicts: list[Verdict] = []
    for score, row in zip(scores.tolist(), overlaps, strict=True):
        reached = np.where(free & (row >= MIN_IOU), row, 0.0)
        counted = np.where(ignored, 0.0, reached)
        if not reached.any():
            verdicts.append("wrong")
            continue
        best = int((counted if counted.any() else reached).argmax())
        free[best] = crowd[best]
        found_score[best] = score
        verdicts.append("ignored" if ignored[best] else "right")
    return PhotoMatches(tuple(verdicts), found_score)


def _overlaps(
    dataset: DetectionDataset,
    photo: int,
    detections: Detections,
    crowd: Bool[np.ndarray, " N"],
    *,
    by_mask: bool,
) -> Float[np.ndarray, "D N"]:
    """IoU of each detection with each object; for a crowd region, the share of the detection inside it."""
    if not len(detections) or not len(crowd):
        return np.zeros((len(detections), len(crowd)))
    if by_mask and detections.masks is not None:
        objects = to_coco_rle(object_masks(dataset, photo))
        return np.array(
            hotcoco_mask.iou(to_coco_rle(detections.masks), objects, crowd.astype(np.int64).tolist())
        )
    found = torch.from_numpy(detections.boxes).double()
    labeled = torch.from_numpy(dataset.boxes[dataset.rows(photo)]).double()
    inside = coverage(labeled, found).numpy().T
    return np.where(crowd[None, :], inside, iou(found, labeled).numpy())
