"""The Region Proposal Network: its head, how it proposes, and which anchors it learns at.

Ren et al. 2015 (arXiv:1506.01497), section 3.1. The head is computed densely where it proposes, at single
anchors where it learns.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.geometry import boxes as box
from boxmask.geometry.boxes import decode, encode
from boxmask.geometry.matching import IGNORE, match_boxes, sample
from boxmask.kernels import batched_nms
from boxmask.pipeline.heads.dense import Tower
from boxmask.pipeline.images import Size
from boxmask.pipeline.layers import Conv3x3
from boxmask.types import Target

SMALLEST_PROPOSAL = 1e-3  # pixels; a box thinner than this has no features


class RPNHead(nn.Module):
    """Objectness and deltas for every anchor: a 3x3 convolution, then two 1x1 siblings (figure 3).

    depth: number of 3x3 convolutions; the paper has one, torchvision's second networks have two
    """

    def __init__(self, in_channels: int, channels: int, num_anchors: int, depth: int = 1) -> None:
        super().__init__()
        self.num_anchors = num_anchors
        self.tower = Tower(in_channels, channels, depth - 1)
        self.conv = Conv3x3(self.tower.channels, channels)
        self.objectness = nn.Conv2d(channels, num_anchors, 1)
        self.deltas = nn.Conv2d(channels, num_anchors * 4, 1)
        for layer in (self.conv, self.objectness, self.deltas):
            nn.init.normal_(layer.weight, std=0.01)  # section 3.1.3
            nn.init.zeros_(cast(Tensor, layer.bias))

    def forward(self, features: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """L maps (B, C, H, W) -> logits L x (B, H * W * A) and deltas L x (B, H * W * A, 4)."""
        hidden = [F.relu(self.conv(self.tower(x))) for x in features]
        logits = [self.objectness(h).permute(0, 2, 3, 1).flatten(1) for h in hidden]
        deltas = [self.deltas(h).permute(0, 2, 3, 1).reshape(len(h), -1, 4) for h in hidden]
        return logits, deltas

    def at(
        self, features: list[Tensor], images: Int[Tensor, " S"], anchors: Int[Tensor, " S"]
    ) -> tuple[Float[Tensor, " S"], Float[Tensor, "S 4"]]:
        """What `forward` says of S anchors, without computing the rest: logits (S,) and deltas (S, 4).

        images, anchors: (S,) row in the batch, and number of the anchor in the image, over all levels.
        The loss looks at 256 of tens of thousands of anchors, and only these have a gradient: going back
        over every cell of every map would cost as much again as forward and pyramid together.
        What lies before the last convolution, in most networks nothing, is computed densely.
        """
        first = torch.tensor([0, *(self.num_anchors * x[0, 0].numel() for x in features)]).cumsum(0).tolist()
        found, rows = [], []
        for x, begin, end in zip(features, first, first[1:], strict=False):
            row = torch.where((anchors >= begin) & (anchors < end))[0]
            cell = (anchors[row] - begin) // self.num_anchors
            found.append(neighborhoods(self.tower(x), images[row], cell))
            rows.append(row)
        order = torch.cat(rows).argsort()
        kernel = self.conv.weight.permute(2, 3, 1, 0).flatten(0, 2)
        hidden = F.relu(torch.addmm(cast(Tensor, self.conv.bias), torch.cat(found), kernel))[order]
        which = (torch.arange(len(hidden), device=hidden.device), anchors % self.num_anchors)
        logits = F.linear(hidden, self.objectness.weight.flatten(1), self.objectness.bias)
        deltas = F.linear(hidden, self.deltas.weight.flatten(1), self.deltas.bias)
        return logits[which], deltas.unflatten(1, (-1, 4))[which]


def neighborhoods(
    x: Float[Tensor, "B C H W"], images: Int[Tensor, " S"], cells: Int[Tensor, " S"]
) -> Float[Tensor, "S 9C"]:
    """The 3x3 pixels around S cells, row by row and zero outside the map: what a 3x3 convolution sums there.

    images, cells: (S,) row in the batch and H * W number of the cell
    """
    height, width = x.shape[-2:]
    step = torch.arange(-1, 2, device=x.device)
    rows = (cells // width)[:, None, None] + step[:, None]
    columns = (cells % width)[:, None, None] + step
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    index = (images[:, None, None] * height + rows.clamp(0, height - 1)) * width + columns.clamp(0, width - 1)
    table = x.permute(0, 2, 3, 1).flatten(0, 2)
    return (F.embedding(index, table) * inside[..., None]).flatten(1)


# ---------------------------------------------------------------------- proposals


def best_anchors(
    anchors: list[Float[Tensor, "N 4"]],
    outputs: tuple[list[Tensor], list[Tensor]],
    sizes: list[Size],
    limits: tuple[int, int],
    nms_iou: float,
) -> list[Float[Tensor, "P 4"]]:
    """The best anchors of each level, moved by their deltas, clipped, thinned by NMS: B x (P, 4).

    outputs: logits L x (B, N) and deltas L x (B, N, 4); sizes: (height, width) of each image
    limits:  anchors of a level before, of an image after NMS
    """
    before_nms, after_nms = limits
    proposals = []
    for image, size in enumerate(sizes):
        boxes, scores, levels = [], [], []
        for level, (anchor, logit, delta) in enumerate(zip(anchors, *outputs, strict=True)):
            score, top = logit[image].float().topk(min(before_nms, len(anchor)))
            moved = box.clip(decode(anchor[top], delta[image][top].float()), size)
            keep = box.large_enough(moved, SMALLEST_PROPOSAL)
            boxes.append(moved[keep])
            scores.append(score[keep].sigmoid())
            levels.append(torch.full_like(top, level)[keep])
        all_boxes = torch.cat(boxes)
        kept = batched_nms(all_boxes, torch.cat(scores), torch.cat(levels), nms_iou)
        proposals.append(all_boxes[kept[:after_nms]])
    return proposals


# ---------------------------------------------------------------------- what it learns (section 3.1.2)


@torch.no_grad()
def sample_anchors(
    anchors: Float[Tensor, "N 4"], targets: list[Target], sizes: list[Size], config: Any
) -> tuple[Int[Tensor, " S"], Int[Tensor, " S"], Bool[Tensor, " S"], Float[Tensor, "Q 4"]]:
    """Section 3.1.3: image and row of sampled anchors, which of them are objects, and their deltas.

    config: the method's; its numbers `rpn_...` are read
    """
    images, rows, is_object, wanted = [], [], [], []
    for image, (target, size) in enumerate(zip(targets, sizes, strict=True)):
        matched = match_anchors(anchors, target, size, config)
        positive, negative = sample(matched, config.rpn_samples, config.rpn_positive_fraction)
        row = torch.cat([positive, negative])
        rows.append(row)
        images.append(torch.full_like(row, image))
        is_object.append(matched[row] >= 0)
        wanted.append(encode(anchors[positive], target.boxes[matched[positive]]))
    return torch.cat(images), torch.cat(rows), torch.cat(is_object), torch.cat(wanted)


@torch.no_grad()
def match_anchors(
    anchors: Float[Tensor, "N 4"], target: Target, size: Size, config: Any
) -> Int[Tensor, " N"]:
    """Section 3.1.2: a row of `target` for each anchor, or BACKGROUND or IGNORE."""
    matched = match_boxes(anchors, target.boxes, target.ignore, config.rpn_iou, allow_low_quality=True)
    if not config.rpn_train_border_anchors:
        matched[(anchors != box.clip(anchors, size)).any(dim=1)] = IGNORE
    return matched
