"""The convolutions that pyramids, heads and towers are made of."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from boxmask.kernels import conv3x3


class Conv3x3(nn.Conv2d):
    """A 3x3 convolution that keeps the size of the map; see `conv3x3` for how it runs on a CPU.

    per_roi: whether it runs over small feature maps, one per RoI
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True, per_roi: bool = False) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias)
        self.per_roi = per_roi

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H, W)."""
        return conv3x3(input, self.weight, self.bias, self.per_roi)


class RegionConvs(nn.Sequential):
    """`depth` 3x3 convolutions with ReLU over the small maps of RoIs, (R, C, h, w) -> (R, channels, h, w)."""

    def __init__(self, in_channels: int, channels: int, depth: int) -> None:
        super().__init__()
        for inputs in [in_channels, *[channels] * depth][:depth]:
            conv = Conv3x3(inputs, channels, per_roi=True)
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(cast(Tensor, conv.bias))
            self.append(nn.Sequential(conv, nn.ReLU()))
