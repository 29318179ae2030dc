"""SSD's head and loss: classes and deltas of each default box (Liu et al. 2016, arXiv:1512.02325)."""

from __future__ import annotations

from typing import Any, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.geometry import boxes as box
from boxmask.geometry.chunks import rows_per_chunk
from boxmask.geometry.matching import BACKGROUND, match_boxes
from boxmask.pipeline.heads.dense import flatten
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
    class_loss, box_loss, objects = logits.new_zeros(()), logits.new_zeros(()), 0
    for logit, delta, target in zip(logits, deltas, targets, strict=True):
        matched = match_default_boxes(boxes, target, config.match_iou)
        positive = torch.where(matched >= 0)[0]
        negative = hard_negatives(logit, matched, config.negatives_per_object * len(positive))
        rows = matched[positive]
        labels = torch.cat([target.labels[rows], torch.full_like(negative, len(config.class_names))])
        sampled = logit[torch.cat([positive, negative])]
        class_loss = class_loss + F.cross_entropy(sampled, labels, reduction="sum")
        target_deltas = box.encode(boxes[positive], target.boxes[rows], config.delta_weights)
        box_loss = box_loss + F.smooth_l1_loss(
            delta[positive], target_deltas, beta=config.box_beta, reduction="sum"
        )
        objects += len(positive)
    return {"ssd_class": class_loss / max(1, objects), "ssd_box": box_loss / max(1, objects)}


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
    logits: Float[Tensor, "N K+1"], matched: Int[Tensor, " N"], count: int
) -> Int[Tensor, " M"]:
    """The at most `count` background rows with the highest class loss, highest first."""
    negative = torch.where(matched == BACKGROUND)[0]
    losses = torch.logsumexp(logits, dim=1) - logits[:, -1]
    return negative[losses[negative].topk(min(count, len(negative))).indices]
