"""The mask branch: a small fully convolutional network over every RoI."""

from __future__ import annotations

import math
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.kernels import linear
from boxmask.pipeline.layers import RegionConvs


class MaskHead(nn.Module):
    """3x3 convolutions, a transposed convolution that doubles the map, and one logit per class and pixel.

    He et al. 2017 (arXiv:1703.06870), figure 4, right. Each of the K classes has its own mask, and classes do
    not compete. Only the mask of the requested class is computed.
    """

    def __init__(self, in_channels: int, channels: int, depth: int, num_classes: int) -> None:
        super().__init__()
        self.convs = RegionConvs(in_channels, channels, depth)
        inputs = channels if depth else in_channels
        self.deconv = nn.ConvTranspose2d(inputs, channels, 2, stride=2)
        self.logits = nn.Conv2d(channels, num_classes, 1)
        nn.init.normal_(
            self.deconv.weight, std=math.sqrt(2 / inputs)
        )  # each output pixel sums `inputs` values
        nn.init.normal_(self.logits.weight, std=0.001)  # Detectron
        for layer in (self.deconv, self.logits):
            nn.init.zeros_(cast(Tensor, layer.bias))

    def forward(self, rois: Float[Tensor, "R C m m"], labels: Int[Tensor, " R"]) -> Float[Tensor, "R M M"]:
        """RoI features and a class for each -> logits of that class's mask, M = 2 m.

        A transposed 2x2 convolution of stride 2 turns each pixel into four without overlap, so it is a matrix
        product over pixels. Only the final map, of one channel, is rearranged, not the one of many channels.
        """
        hidden = self.convs(rois)
        side = hidden.shape[-1]
        pixels = hidden.permute(0, 2, 3, 1).flatten(0, 2)
        kernel = self.deconv.weight.permute(2, 3, 1, 0).flatten(0, 2)
        bias = cast(Tensor, self.deconv.bias).repeat(4)
        doubled = F.relu(linear(pixels, kernel, bias)).view(rois.shape[0], 4 * side * side, len(bias) // 4)
        weight = self.logits.weight.flatten(1)[labels]
        logits = torch.bmm(doubled, weight[:, :, None])[..., 0] + cast(Tensor, self.logits.bias)[labels, None]
        return logits.view(-1, side, side, 2, 2).permute(0, 1, 3, 2, 4).reshape(-1, 2 * side, 2 * side)
