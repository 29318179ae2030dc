"""The convolution that pyramids, heads and towers are made of."""

from __future__ import annotations

from torch import Tensor, nn

from boxmask.kernels import conv3x3


class Conv3x3(nn.Conv2d):
    """A 3x3 convolution that keeps the size of the map; see `conv3x3` for how it runs on a CPU."""

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H, W)."""
        return conv3x3(input, self.weight, self.bias)
