"""The stage `postprocess`: candidates moved, clipped, thinned by NMS, best first."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from boxmask.geometry import boxes as box
from boxmask.geometry.boxes import decode
from boxmask.kernels import batched_nms
from boxmask.pipeline.images import Size
from boxmask.types import Detections

SMALLEST_DETECTION = 1e-2  # pixels, as in torchvision


def decode_and_nms(
    regions: Float[Tensor, "P 4"],
    scores: Float[Tensor, "P K"],
    deltas: Float[Tensor, "P K 4"],
    sizes: tuple[Size, Size],
    config: Any,
) -> Detections:
    """One photo: per class decode, clip, threshold, NMS; then the best few, in the photo's own pixels.

    regions: xyxy in pixels of the resized photo; deltas: in units of the regions' sizes
    sizes:   (height, width) of the resized photo and of the photo itself
    config:  the method's; class_names, score_threshold, nms_iou and detections_per_image are read
    """
    row, label = torch.where(scores > config.score_threshold)
    boxes = box.clip(decode(regions[row], deltas[row, label]), sizes[0])
    large = box.large_enough(boxes, SMALLEST_DETECTION)
    return nms_top_k(boxes[large], scores[row, label][large], label[large], sizes, config)


def nms_top_k(
    boxes: Float[Tensor, "C 4"],
    scores: Float[Tensor, " C"],
    labels: Int[Tensor, " C"],
    sizes: tuple[Size, Size],
    config: Any,
) -> Detections:
    """One photo's candidates: NMS a class, then the best few, in the photo's own pixels.

    boxes: xyxy in pixels of the resized photo, inside it; sizes and config as in `decode_and_nms`
    """
    size, original = sizes
    keep = batched_nms(boxes, scores, labels, config.nms_iou)[: config.detections_per_image]
    own = box.clip(box.rescale(boxes[keep], size, original), original)
    return Detections(own, scores[keep], labels[keep], config.class_names, original)
