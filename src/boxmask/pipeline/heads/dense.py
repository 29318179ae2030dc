"""What one-stage detectors share: a head over every cell, and the choice of the top scores to decode.

    features -> DenseHead (Tower, last convolution, flatten) -> top_k_scores -> cat_levels -> decode

Anchors, points and losses are in the papers' own files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from boxmask.pipeline.batch_objects import BatchObjects
from boxmask.pipeline.layers import Conv3x3, depthwise_separable
from boxmask.types import Target


class Tower(nn.Sequential):
    """A stack of 3x3 convolutions with ReLU that runs over every level of a pyramid, (B, C, H, W) per level.

    channels:    of each convolution
    depth:       number of convolutions; with 0 the tower returns its input
    norm_groups: groups of the GroupNorm before each ReLU; 0: no norm
    depthwise:   make each convolution depthwise-separable
    """

    def __init__(
        self, in_channels: int, channels: int, depth: int, norm_groups: int = 0, depthwise: bool = False
    ) -> None:
        super().__init__()
        self.channels = channels if depth else in_channels
        for index in range(depth):
            inputs = channels if index else in_channels
            conv: nn.Module = Conv3x3(inputs, channels)
            if depthwise:
                conv = nn.Sequential(*depthwise_separable(inputs, channels))
            init_small(conv)
            layers = [conv, nn.GroupNorm(norm_groups, channels)] if norm_groups else [conv]
            self.append(nn.Sequential(*layers, nn.ReLU()))

    @staticmethod
    def from_config(config: Any) -> Tower:
        """From a config with channels, tower_channels, tower_depth, norm_groups and depthwise."""
        c = config
        return Tower(c.channels, c.tower_channels, c.tower_depth, c.norm_groups, c.depthwise)


class DenseHead(nn.Module):
    """A tower over every level, then a 3x3 convolution: `outputs` values for each of A anchors per cell."""

    def __init__(self, tower: Tower, num_anchors: int, outputs: int) -> None:
        super().__init__()
        self.tower, self.outputs = tower, outputs
        self.last = Conv3x3(tower.channels, num_anchors * outputs)
        init_small(self.last)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """L maps (B, C, H, W) -> L x (B, H * W * A, outputs)."""
        return [flatten(self.last(self.tower(x)), self.outputs) for x in features]


def init_small(module: nn.Module) -> None:
    """Initialize a head's convolutions as RetinaNet's (section 4.1): normal with std 0.01, bias 0.

    The std of 0.01 is for 3x3 kernels of 256 channels. With fewer inputs it is larger, so that a narrow tower
    keeps the variance of a wide one. Depthwise kernels keep PyTorch's initialization.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            if layer.groups == 1:
                nn.init.normal_(layer.weight, std=0.01 * math.sqrt(9 * 256 / layer.weight[0].numel()))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def init_prior(conv: nn.Conv2d, probability: float) -> None:
    """Set the last bias so that every score starts at `probability` (RetinaNet, sections 3.3 and 4.1)."""
    nn.init.constant_(cast(Tensor, conv.bias), logit(probability))


def logit(probability: float) -> float:
    """The inverse of the sigmoid; minus infinity for 0, infinity for 1."""
    if not 0 < probability < 1:
        return -math.inf if probability <= 0 else math.inf
    return math.log(probability / (1 - probability))


def flatten(x: Float[Tensor, "B A*n H W"], n: int) -> Float[Tensor, "B H*W*A n"]:
    """One level's outputs, n values for each of A anchors per cell, in the order of `pyramid_anchors`."""
    return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, n)


def top_k_scores(
    scores: Float[Tensor, "N K"], threshold: float, k: int
) -> tuple[Float[Tensor, " C"], Int[Tensor, " C"], Int[Tensor, " C"]]:
    """The `k` highest scores above the threshold, their rows and labels (columns), highest score first.

    For one level of one photo, before decoding. Logits may stand in for scores, with the threshold's logit:
    the sigmoid is then computed for the `k` only. A GPU is not waited for: it returns `k` scores, of which
    those that are too low are NaN.
    """
    if scores.device.type == "cpu":
        row, label = torch.where(scores > threshold)
        return top_k(scores[row, label], row, label, k)
    score, place = scores.flatten().topk(min(k, scores.numel()))
    columns = scores.shape[1]
    return _nan_below(score, threshold), place // columns, place % columns


def top_k_of_each_class(
    scores: Float[Tensor, "N K"], threshold: float, k: int
) -> tuple[Float[Tensor, " C"], Int[Tensor, " C"], Int[Tensor, " C"]]:
    """`top_k_scores` of each class, one class after another."""
    if scores.device.type == "cpu":
        per_class = [top_k_scores(column[:, None], threshold, k)[:2] for column in scores.T]
        score, row = (torch.cat(field) for field in zip(*per_class, strict=True))
        labels = [torch.full_like(rows, label) for label, (_, rows) in enumerate(per_class)]
        return score, row, torch.cat(labels)
    score, row = scores.T.topk(min(k, len(scores)))
    label = torch.arange(len(score), device=row.device)[:, None].expand_as(row)
    return _nan_below(score.flatten(), threshold), row.flatten(), label.flatten()


def top_k(
    scores: Float[Tensor, " C"], row: Int[Tensor, " C"], label: Int[Tensor, " C"], k: int
) -> tuple[Float[Tensor, " C"], Int[Tensor, " C"], Int[Tensor, " C"]]:
    """The `k` highest scores with their rows and labels, highest score first."""
    score, order = scores.topk(min(k, len(scores)))
    return score, row[order], label[order]


def _nan_below(scores: Float[Tensor, " C"], threshold: float) -> Float[Tensor, " C"]:
    return torch.where(scores > threshold, scores, math.nan)


def cat_levels(levels: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """Concatenate each field of the levels of a photo."""
    return tuple(torch.cat(field) for field in zip(*levels, strict=True))


class MatchedObjects(NamedTuple):
    """The anchors or points of a batch that hold an object, and these objects.

    image, row:    photo in the batch, and anchor or point in the photo
    labels, boxes: of the object
    """

    image: Int[Tensor, " Q"]
    row: Int[Tensor, " Q"]
    labels: Int[Tensor, " Q"]
    boxes: Float[Tensor, "Q 4"]


def matched_objects(matched: Int[Tensor, "B N"], targets: list[Target]) -> MatchedObjects:
    """Look up the objects from rows of each photo's target; negative rows hold none."""
    image, row = torch.where(matched >= 0)
    objects = BatchObjects.of(targets)
    places = objects.places(image, matched[image, row])
    return MatchedObjects(image, row, objects.labels[places], objects.boxes[places])
