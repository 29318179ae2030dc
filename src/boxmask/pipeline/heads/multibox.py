"""SSD's head and loss: classes and deltas of each default box (Liu et al. 2016, arXiv:1512.02325)."""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.geometry import boxes as box
from boxmask.geometry.chunks import rows_per_chunk
from boxmask.geometry.matching import BACKGROUND, match, match_boxes
from boxmask.pipeline.heads.dense import flatten, matched_objects
from boxmask.pipeline.layers import Conv3x3, depthwise_separable, init_for_relu
from boxmask.types import Target

OBJECTS_PER_CHUNK = 16  # of the IoU matrix with all default boxes: 2 MB at 512 pixels
BOXES_PER_CHUNK = 4096  # on a CPU: fits the processor's cache, which is twice as fast as all at once


class MultiBoxHead(nn.Module):
    """One convolution per map for the classes and one for the deltas (section 2.1); maps share no weights.

    The last column of the logits is the background.

    channels:  of each map
    boxes:     default boxes per cell of each map
    depthwise: a depthwise 3x3 convolution, then 1x1 (SSDLite: MobileNetV2, arXiv:1801.04381, section 6.2)
    """

    def __init__(self, channels: list[int], boxes: list[int], num_classes: int, depthwise: bool) -> None:
        super().__init__()
        predictor = _depthwise_predictor if depthwise else _predictor
        self.columns = num_classes + 1
        pairs = list(zip(channels, boxes, strict=True))
        self.logits = nn.ModuleList(predictor(c, a * self.columns) for c, a in pairs)
        self.deltas = nn.ModuleList(predictor(c, a * 4) for c, a in pairs)

    def forward(self, features: list[Tensor]) -> tuple[Float[Tensor, "B N K+1"], Float[Tensor, "B N 4"]]:
        """L maps (B, C, H, W) -> logits and deltas of all default boxes, in the order of the maps."""
        logits = [flatten(layer(x), self.columns) for layer, x in zip(self.logits, features, strict=True)]
        deltas = [flatten(layer(x), 4) for layer, x in zip(self.deltas, features, strict=True)]
        return torch.cat(logits, 1), torch.cat(deltas, 1)


def _predictor(in_channels: int, out_channels: int) -> nn.Module:
    conv = Conv3x3(in_channels, out_channels)
    nn.init.xavier_uniform_(conv.weight)  # section 3
    nn.init.zeros_(cast(Tensor, conv.bias))
    return conv


def _depthwise_predictor(in_channels: int, out_channels: int) -> nn.Module:
    layers = depthwise_separable(in_channels, out_channels, relu6=True)
    init_for_relu(layers[0])
    last = cast(nn.Conv2d, layers[-1])
    # Xavier makes logits so large on a backbone's features that the first scores are certain, and wrong.
    nn.init.normal_(last.weight, std=0.01)
    nn.init.zeros_(cast(Tensor, last.bias))
    return nn.Sequential(*layers)


# ---------------------------------------------------------------------- loss (section 2.2)


def multibox_loss(
    logits: Float[Tensor, "B N K+1"],
    deltas: Float[Tensor, "B N 4"],
    boxes: Float[Tensor, "N 4"],
    targets: list[Target],
    config: Any,
) -> dict[str, Tensor]:
    """Cross-entropy at matched default boxes and hard negatives, smooth L1 at the matched ones (equation 1).

    Both are divided by the number of matched default boxes in the batch.
    """
    matched = match_each_photo(boxes, targets, config.match_iou)
    image, row, labels, objects = matched_objects(matched, targets)
    negative_image, negative_row = hard_negatives(logits, matched, config.negatives_per_object, len(row))
    sampled = logits[torch.cat([image, negative_image]), torch.cat([row, negative_row])]
    background = torch.full_like(negative_row, len(config.class_names))
    class_loss = F.cross_entropy(sampled, torch.cat([labels, background]), reduction="sum")
    target_deltas = box.encode(boxes[row], objects, config.delta_weights)
    box_loss = F.smooth_l1_loss(deltas[image, row], target_deltas, beta=config.box_beta, reduction="sum")
    total = max(1, len(row))
    return {"ssd_class": class_loss / total, "ssd_box": box_loss / total}


@torch.no_grad()
def match_each_photo(boxes: Float[Tensor, "N 4"], targets: list[Target], iou: float) -> Int[Tensor, "B N"]:
    """`match_default_boxes` of each photo; a GPU matches all photos at once, unless objects are ignored."""
    if boxes.device.type == "cpu" or any(target.has_ignored for target in targets):
        return torch.stack([match_default_boxes(boxes, target, iou) for target in targets])
    overlaps = box.iou(box.pad([target.boxes for target in targets]), boxes)  # (B, G, N)
    matched = match(overlaps, iou, iou)
    if not overlaps.numel():
        return matched
    counts = torch.tensor([[len(target.boxes)] for target in targets])
    objects = torch.arange(overlaps.shape[1])
    objects = torch.where(objects < counts, objects, BACKGROUND).to(boxes.device, non_blocking=True)
    best = torch.full_like(matched, BACKGROUND).scatter_reduce(1, overlaps.argmax(dim=2), objects, "amax")
    return torch.where(best >= 0, best, matched)


@torch.no_grad()
def match_default_boxes(boxes: Float[Tensor, "N 4"], target: Target, iou: float) -> Int[Tensor, " N"]:
    """A row of `target` for each default box, or BACKGROUND or IGNORE.

    Each object gets the default box that overlaps it most. Every other default box gets the object that it
    overlaps most, if their IoU is at least `iou`. Default boxes in ignored objects are IGNORE.
    """
    thresholds = (iou, iou)
    matched = torch.cat(
        [
            match_boxes(chunk, target.boxes, target.ignored, thresholds, allow_low_quality=False)
            for chunk in boxes.split(rows_per_chunk(boxes, BOXES_PER_CHUNK, len(target.boxes)))
        ]
    )
    for rows in torch.where(~target.ignore)[0].split(OBJECTS_PER_CHUNK):
        matched[box.iou(target.boxes[rows], boxes).argmax(dim=1)] = rows
    return matched


@torch.no_grad()
def hard_negatives(
    logits: Float[Tensor, "B N K+1"], matched: Int[Tensor, "B N"], per_object: int, objects: int
) -> tuple[Int[Tensor, " M"], Int[Tensor, " M"]]:
    """The background rows with the highest class loss in each photo: photos and rows, highest first.

    per_object: at most so many for each matched row of the photo
    objects:    number of matched rows in the batch
    """
    losses = torch.logsumexp(logits, dim=2) - logits[..., -1]
    losses = losses.masked_fill(matched != BACKGROUND, -math.inf)
    highest, row = losses.topk(min(per_object * objects, losses.shape[1]))
    limits = per_object * (matched >= 0).sum(dim=1, keepdim=True)
    ranks = torch.arange(row.shape[1], device=row.device)
    image, rank = torch.where((ranks < limits) & (highest > -math.inf))
    return image, row[image, rank]
