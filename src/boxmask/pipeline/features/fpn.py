"""Feature Pyramid Networks for Object Detection, Lin et al. 2017 (arXiv:1612.03144), section 3."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.pipeline.convolution import Conv3x3


class FPN(nn.Module):
    """Maps C_l of a backbone -> maps P_l of `channels` each, and `extra` coarser ones by subsampling.

    Lateral 1x1 convolutions, nearest-neighbour top-down pathway, one 3x3 convolution a level; the extra
    level (P6) only serves the largest anchors (section 4.1, footnote 2).
    """

    def __init__(self, in_channels: list[int], channels: int, extra: int = 1) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(c, channels, 1) for c in in_channels)
        self.output = nn.ModuleList(Conv3x3(channels, channels) for _ in in_channels)
        self.extra = extra
        for layer in [*self.lateral, *self.output]:
            assert isinstance(layer, nn.Conv2d)
            nn.init.kaiming_uniform_(layer.weight, a=1)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(self, bottom_up: list[Tensor]) -> list[Tensor]:
        """L maps (B, C_l, H_l, W_l), fine to coarse -> L + extra maps (B, channels, ...)."""
        top_down = [lateral(c) for lateral, c in zip(self.lateral, bottom_up, strict=True)]
        for level in range(len(top_down) - 2, -1, -1):
            size = top_down[level].shape[-2:]
            top_down[level] = top_down[level] + F.interpolate(top_down[level + 1], size=size)
        pyramid = [output(m) for output, m in zip(self.output, top_down, strict=True)]
        for _ in range(self.extra):
            pyramid.append(F.max_pool2d(pyramid[-1], 1, stride=2))
        return pyramid
