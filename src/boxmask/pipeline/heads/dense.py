"""What one-stage detectors share: class and box of every cell at once, and the few candidates worth decoding.

    features -> DenseHead (Tower, last convolution, flatten) -> top_k_scores -> decode -> merge_levels

Nothing here knows of anchors, points or losses: these are the papers' own.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from boxmask.geometry import boxes as box
from boxmask.pipeline.images import Size
from boxmask.pipeline.layers import Conv3x3, depthwise_separable
from boxmask.pipeline.postprocess import nms_top_k
from boxmask.types import Detections, Target


class Tower(nn.Sequential):
    """A stack of 3x3 convolutions with ReLU that runs over every level of a pyramid, (B, C, H, W) a level.

    depth:       number of convolutions; 0 leaves the map as it is
    channels:    of each of them
    norm_groups: of the GroupNorm before each ReLU; 0: none
    depthwise:   whether each is separated into depthwise and 1x1
    """

    def __init__(
        self, in_channels: int, channels: int, depth: int, norm_groups: int = 0, depthwise: bool = False
    ) -> None:
        super().__init__()
        self.channels = channels if depth else in_channels
        for number in range(depth):
            inputs = channels if number else in_channels
            conv: nn.Module = Conv3x3(inputs, channels)
            if depthwise:
                conv = nn.Sequential(*depthwise_separable(inputs, channels))
            init_small(conv)
            layers = [conv, nn.GroupNorm(norm_groups, channels)] if norm_groups else [conv]
            self.append(nn.Sequential(*layers, nn.ReLU()))

    @staticmethod
    def of(config: Any) -> Tower:
        """By a method's numbers: channels of its pyramid, and of its towers all that they consist of."""
        c = config
        return Tower(c.channels, c.tower_channels, c.tower_depth, c.norm_groups, c.depthwise)


class DenseHead(nn.Module):
    """A tower over every level, then a 3x3 convolution that says `numbers` of each of A anchors a cell."""

    def __init__(self, tower: Tower, num_anchors: int, numbers: int) -> None:
        super().__init__()
        self.tower, self.numbers = tower, numbers
        self.last = Conv3x3(tower.channels, num_anchors * numbers)
        init_small(self.last)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """L maps (B, C, H, W) -> L x (B, H * W * A, numbers)."""
        return [flatten(self.last(self.tower(x)), self.numbers) for x in features]


def init_small(module: nn.Module) -> None:
    """Begin a head's convolutions as RetinaNet's (section 4.1): normal numbers of spread 0.01, bias 0.

    Spread 0.01 is for 3x3 kernels of 256 channels; with fewer inputs it is larger, so that a narrow tower
    passes on as much as a wide one. Depthwise kernels stay as PyTorch makes them.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            if layer.groups == 1:
                nn.init.normal_(layer.weight, std=0.01 * math.sqrt(9 * 256 / layer.weight[0].numel()))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def init_prior(conv: nn.Conv2d, probability: float) -> None:
    """Set the last bias so that every score begins at `probability` (RetinaNet, sections 3.3 and 4.1)."""
    nn.init.constant_(cast(Tensor, conv.bias), logit(probability))


def logit(probability: float) -> float:
    """The number whose sigmoid is `probability`; minus infinity for 0."""
    return -math.inf if probability <= 0 else math.log(probability / (1 - probability))


def flatten(x: Float[Tensor, "B A*n H W"], n: int) -> Float[Tensor, "B H*W*A n"]:
    """One level's outputs, n numbers for each of A anchors a cell, in the order of `anchors.tile`."""
    return x.permute(0, 2, 3, 1).reshape(len(x), -1, n)


def top_k_scores(
    scores: Float[Tensor, "N K"], threshold: float, most: int
) -> tuple[Float[Tensor, " C"], Int[Tensor, " C"], Int[Tensor, " C"]]:
    """The `most` highest above the threshold: scores, rows and labels (columns), top_k first.

    For one level of one photo, before anything is decoded. Logits do as well, with the threshold's logit:
    then the sigmoid is taken of the few that remain.
    """
    row, label = torch.where(scores > threshold)
    return top_k(scores[row, label], row, label, most)


def top_k(
    scores: Float[Tensor, " C"], row: Int[Tensor, " C"], label: Int[Tensor, " C"], most: int
) -> tuple[Float[Tensor, " C"], Int[Tensor, " C"], Int[Tensor, " C"]]:
    """The `most` highest of these candidates, top_k first."""
    score, order = scores.topk(min(most, len(scores)))
    return score, row[order], label[order]


def merge_levels(
    levels: list[tuple[Float[Tensor, "C 4"], Float[Tensor, " C"], Int[Tensor, " C"]]],
    sizes: tuple[Size, Size],
    config: Any,
) -> Detections:
    """One photo's decoded candidates of every level -> what is found, in the photo's own pixels.

    levels: boxes in pixels of the resized photo, scores and labels
    sizes:  (height, width) of the resized photo and of the photo itself
    config: the method's; besides what `nms_top_k` reads, min_box_size, below which a clipped box is nothing
    """
    boxes, scores, labels = (torch.cat(part) for part in zip(*levels, strict=True))
    boxes = box.clip(boxes, sizes[0])
    keep = box.large_enough(boxes, config.min_box_size)
    return nms_top_k(boxes[keep], scores[keep], labels[keep], sizes, config)


class Objects(NamedTuple):
    """The places of a batch that hold an object: row of the photo and of the place, and what is there."""

    image: Int[Tensor, " Q"]
    row: Int[Tensor, " Q"]
    labels: Int[Tensor, " Q"]
    boxes: Float[Tensor, "Q 4"]


def objects_at(matched: Int[Tensor, "B N"], targets: list[Target]) -> Objects:
    """From rows of each photo's target, where they are not negative."""
    image, row = torch.where(matched >= 0)
    answers = [one[one >= 0] for one in matched]
    labels = [target.labels[rows] for target, rows in zip(targets, answers, strict=True)]
    boxes = [target.boxes[rows] for target, rows in zip(targets, answers, strict=True)]
    return Objects(image, row, torch.cat(labels), torch.cat(boxes))
