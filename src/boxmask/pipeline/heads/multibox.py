"""SSD's head: classes and deltas of each default box, at every cell (Liu et al. 2016, section 2.1)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from boxmask.pipeline.convolution import Conv3x3
from boxmask.pipeline.features.extra_layers import rectified
from boxmask.pipeline.heads.dense import flatten


class MultiBoxHead(nn.Module):
    """One convolution a map for the classes and one for the deltas; nothing is shared between the maps.

    channels: of each map
    boxes:    default boxes a cell of each map
    light:    a depthwise 3x3, then 1x1 (SSDLite: MobileNetV2, arXiv:1801.04381, section 6.2)
    The last column of the logits is the background.
    """

    def __init__(self, channels: list[int], boxes: list[int], num_classes: int, light: bool) -> None:
        super().__init__()
        predictor = _light if light else _full
        self.columns = num_classes + 1
        pairs = list(zip(channels, boxes, strict=True))
        self.logits = nn.ModuleList(predictor(c, a * self.columns) for c, a in pairs)
        self.deltas = nn.ModuleList(predictor(c, a * 4) for c, a in pairs)

    def forward(self, features: list[Tensor]) -> tuple[Float[Tensor, "B N K+1"], Float[Tensor, "B N 4"]]:
        """L maps (B, C, H, W) -> logits and deltas of all default boxes, in the order of the maps."""
        logits = [flatten(layer(x), self.columns) for layer, x in zip(self.logits, features, strict=True)]
        deltas = [flatten(layer(x), 4) for layer, x in zip(self.deltas, features, strict=True)]
        return torch.cat(logits, 1), torch.cat(deltas, 1)


def _full(in_channels: int, out_channels: int) -> nn.Module:
    return _even(Conv3x3(in_channels, out_channels))


def _light(in_channels: int, out_channels: int) -> nn.Module:
    depthwise = rectified(nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels))
    last = nn.Conv2d(in_channels, out_channels, 1)
    nn.init.normal_(last.weight, std=0.01)  # xavier on a backbone's large features is sure, and wrong
    assert last.bias is not None
    nn.init.zeros_(last.bias)
    return nn.Sequential(depthwise, nn.ReLU6(inplace=True), last)


def _even(conv: nn.Conv2d) -> nn.Conv2d:
    """Begin with numbers that keep the spread both ways (the "xavier" of section 3), bias 0."""
    nn.init.xavier_uniform_(conv.weight)
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return conv
