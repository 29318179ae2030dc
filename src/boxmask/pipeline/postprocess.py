"""The stage `postprocess`: decode, clip, drop tiny boxes, NMS per class, keep the top detections, voting."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from boxmask.geometry import boxes as box
from boxmask.kernels import batched_nms
from boxmask.pipeline.images import Size
from boxmask.types import Detections

MIN_DETECTION_SIZE = 1e-2  # pixels, as in torchvision


def decode_and_nms(
    regions: Float[Tensor, "P 4"],
    scores: Float[Tensor, "P K"],
    deltas: Float[Tensor, "P K 4"],
    sizes: tuple[Size, Size],
    config: Any,
) -> Detections:
    """The detections of one photo from regions with scores and deltas per class.

    regions: xyxy in pixels of the resized photo; deltas: in units of the regions' sizes
    sizes:   (height, width) of the resized and of the original photo
    config:  the method's config; class_names, score_threshold, nms_iou and detections_per_image are read
    """
    row, label = torch.where(scores > config.score_threshold)
    boxes = box.decode(regions[row], deltas[row, label])
    return nms_top_k(boxes, scores[row, label], label, sizes, config)


def nms_top_k(
    boxes: Float[Tensor, "C 4"],
    scores: Float[Tensor, " C"],
    labels: Int[Tensor, " C"],
    sizes: tuple[Size, Size],
    config: Any,
    min_size: float = MIN_DETECTION_SIZE,
) -> Detections:
    """The detections of one photo from decoded boxes: clip, NMS per class, keep the top ones, box voting.

    Box voting (Gidaris and Komodakis 2015, arXiv:1505.01749): each kept box becomes the mean of the boxes of
    its class whose IoU with it is at least the config's `voting_iou`, weighted by their scores. Several
    proposals of an object err in different directions, so that their mean is more exact than the best of
    them. 0 turns it off.

    boxes:    xyxy in pixels of the resized photo; sizes and config as in `decode_and_nms`
    scores:   those of NaN are dropped with their boxes
    min_size: boxes with a shorter side after clipping are dropped, in pixels of the resized photo
    """
    size, original = sizes
    boxes = box.clip(boxes, size)
    rows = torch.where(box.large_enough(boxes, min_size) & (scores >= 0))[0]
    boxes, scores, labels = boxes[rows], scores[rows], labels[rows]
    keep = batched_nms(boxes, scores, labels, config.nms_iou)[: config.detections_per_image]
    kept = boxes[keep]
    if voting_iou := getattr(config, "voting_iou", 0.0):  # the detectors with an RPN have it
        voters = (labels[keep, None] == labels) & (box.iou(kept, boxes) >= voting_iou)
        voters[torch.arange(len(keep), device=keep.device), keep] = True  # rounding never excludes itself
        weights = voters * scores
        kept = weights / weights.sum(dim=1, keepdim=True) @ boxes
    in_photo = box.clip(box.rescale(kept, size, original), original)
    columns = (in_photo, scores[keep, None], labels[keep, None].to(scores.dtype))
    found = torch.cat(columns, dim=1).numpy(force=True)  # a GPU is waited for once
    photo_boxes, photo_scores = np.ascontiguousarray(found[:, :4]), found[:, 4].copy()
    return Detections(photo_boxes, photo_scores, found[:, 5].astype(np.int64), config.class_names, original)
