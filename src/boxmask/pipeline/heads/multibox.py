"""SSD's head: classes and deltas of each default box, at every cell (Liu et al. 2016, section 2.1)."""

from __future__ import annotations

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from boxmask.pipeline.heads.dense import flatten
from boxmask.pipeline.layers import Conv3x3, depthwise_separable, init_for_relu


class MultiBoxHead(nn.Module):
    """One convolution per map for the classes and one for the deltas; the maps share nothing.

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
