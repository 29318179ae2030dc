"""The Region Proposal Network: its head, its proposals, and its loss at sampled anchors.

Ren et al. 2015 (arXiv:1506.01497), section 3.1. The head is computed densely for proposals, and at the
sampled anchors only for the loss.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.geometry import boxes as box
from boxmask.geometry.boxes import decode, encode
from boxmask.geometry.matching import IGNORE, match_each
from boxmask.geometry.sampling import Samples, sample
from boxmask.kernels import batched_nms
from boxmask.pipeline.batch_objects import BatchObjects
from boxmask.pipeline.heads.dense import Tower
from boxmask.pipeline.heads.neighborhoods import neighborhoods_at_once, neighborhoods_by_level
from boxmask.pipeline.images import Size
from boxmask.pipeline.layers import Conv3x3
from boxmask.types import Target

MIN_PROPOSAL_SIZE = 1e-3  # pixels; a thinner box has no features


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
        deltas = [self.deltas(h).permute(0, 2, 3, 1).reshape(h.shape[0], -1, 4) for h in hidden]
        return logits, deltas

    def at_anchors(
        self, features: list[Tensor], images: Int[Tensor, " S"], anchors: Int[Tensor, " S"]
    ) -> tuple[Float[Tensor, " S"], Float[Tensor, "S 4"]]:
        """`forward` at S anchors only: logits (S,) and deltas (S, 4).

        The loss uses 256 of tens of thousands of anchors, and only these have a gradient. The backward pass
        over every cell of every map would cost as much as the forward pass and the pyramid together. Layers
        before the last 3x3 convolution, if any, are computed densely.

        images, anchors: (S,) row in the batch, and index of the anchor in the image, over all levels
        """
        maps = [self.tower(x) for x in features]
        order: Tensor | slice = slice(None)
        if anchors.device.type == "cpu":
            patches, order = neighborhoods_by_level(maps, images, anchors, self.num_anchors)
        else:
            patches = neighborhoods_at_once(maps, images, anchors, self.num_anchors)
        kernel = self.conv.weight.permute(2, 3, 1, 0).flatten(0, 2)
        hidden = F.relu(torch.addmm(cast(Tensor, self.conv.bias), patches, kernel))[order]
        at_anchor = (torch.arange(len(hidden), device=hidden.device), anchors % self.num_anchors)
        logits = F.linear(hidden, self.objectness.weight.flatten(1), self.objectness.bias)
        deltas = F.linear(hidden, self.deltas.weight.flatten(1), self.deltas.bias)
        return logits[at_anchor], deltas.unflatten(1, (-1, 4))[at_anchor]


# ---------------------------------------------------------------------- proposals


class ProposalLimits(NamedTuple):
    """Which proposals are kept.

    before_nms, after_nms: number of anchors per level, and of proposals per image
    nms_iou:               highest IoU with a kept proposal of the level
    threshold:             lowest objectness, after the sigmoid
    """

    before_nms: int
    after_nms: int
    nms_iou: float
    threshold: float = 0.0


def select_proposals(
    anchors: list[Float[Tensor, "N 4"]],
    logits: list[Float[Tensor, "B N"]],
    deltas: list[Float[Tensor, "B N 4"]],
    sizes: list[Size],
    limits: ProposalLimits,
) -> list[Float[Tensor, "P 4"]]:
    """Decode and clip the top anchors of each level, then NMS per level: B x (P, 4), highest score first.

    sizes: (height, width) of each image inside the padding
    """
    top_scores, top_anchors, top_deltas = [], [], []
    for anchor, logit, delta in zip(anchors, logits, deltas, strict=True):
        score, top = logit.float().topk(min(limits.before_nms, len(anchor)))  # (B, n)
        top_scores.append(score)
        top_anchors.append(anchor[top])
        top_deltas.append(delta.gather(1, top[..., None].expand(-1, -1, 4)).float())
    counts = torch.tensor([score.shape[1] for score in top_scores])
    level_of = torch.arange(len(counts)).repeat_interleave(counts).to(logits[0].device, non_blocking=True)
    scores = torch.cat(top_scores, 1).sigmoid()
    decoded = decode(torch.cat(top_anchors, 1).flatten(0, 1), torch.cat(top_deltas, 1).flatten(0, 1))
    boxes = box.clip(decoded.unflatten(0, scores.shape), *sizes)
    is_good = box.large_enough(boxes, MIN_PROPOSAL_SIZE) & (scores >= limits.threshold)
    proposals = []
    for photo, rows in enumerate(is_good.nonzero()[:, 1].split(is_good.sum(dim=1).tolist())):
        in_photo = boxes[photo, rows]
        kept = batched_nms(in_photo, scores[photo, rows], level_of[rows], limits.nms_iou)
        proposals.append(in_photo[kept[: limits.after_nms]])
    return proposals


# ---------------------------------------------------------------------- loss (sections 3.1.2 and 3.1.3)


def rpn_loss(
    head: RPNHead,
    features: list[Tensor],
    anchors: Float[Tensor, "N 4"],
    targets: list[Target],
    sizes: list[Size],
    config: Any,
) -> dict[str, Tensor]:
    """Equation 1: cross-entropy at sampled anchors, smooth L1 at those that hold an object.

    config: the method's config; its fields `rpn_...` are read
    """
    samples, target_deltas = sample_anchors(anchors, targets, sizes, config)
    logits, deltas = head.at_anchors(features, samples.photos, samples.rows)
    is_object = torch.zeros_like(logits).index_fill(0, samples.positive, 1)
    objectness = F.binary_cross_entropy_with_logits(logits, is_object, reduction="sum")
    predicted = deltas[samples.positive]
    regression = F.smooth_l1_loss(predicted, target_deltas, beta=config.rpn_beta, reduction="sum")
    total = max(1, len(samples.rows))
    return {"rpn_objectness": objectness / total, "rpn_box": regression / total}


@torch.no_grad()
def sample_anchors(
    anchors: Float[Tensor, "N 4"], targets: list[Target], sizes: list[Size], config: Any
) -> tuple[Samples, Float[Tensor, "Q 4"]]:
    """Sample anchors of each photo, and the deltas of those that hold an object (section 3.1.3)."""
    matched = match_anchors(anchors, targets, sizes, config)
    samples = sample(matched, config.rpn_samples, config.rpn_positive_fraction)
    objects, positive = BatchObjects.of(targets), samples.positive
    rows = torch.cat(matched)[samples.places[positive]]
    boxes = objects.boxes[objects.places(samples.photos[positive], rows)]
    return samples, encode(anchors[samples.rows[positive]], boxes)


@torch.no_grad()
def match_anchors(
    anchors: Float[Tensor, "N 4"], targets: list[Target], sizes: list[Size], config: Any
) -> list[Int[Tensor, " N"]]:
    """A row of each photo's target for each anchor, or BACKGROUND or IGNORE (section 3.1.2).

    If anchors across the border are not trained on (section 3.3), each object gets its best anchor among the
    others, as in py-faster-rcnn.
    """
    boxes, ignored = [target.boxes for target in targets], [target.ignored for target in targets]
    if config.rpn_train_border_anchors:
        return match_each([anchors] * len(boxes), boxes, ignored, config.rpn_iou, allow_low_quality=True)
    trained = [torch.where((anchors == box.clip(anchors, size)).all(dim=1))[0] for size in sizes]
    candidates = [anchors[rows] for rows in trained]
    inside = match_each(candidates, boxes, ignored, config.rpn_iou, allow_low_quality=True)
    everywhere = torch.full((len(anchors),), IGNORE, device=anchors.device)
    return [everywhere.index_put((rows,), found) for rows, found in zip(trained, inside, strict=True)]
