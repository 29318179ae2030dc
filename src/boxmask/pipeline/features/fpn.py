"""Feature Pyramid Networks for Object Detection, Lin et al. 2017 (arXiv:1612.03144), section 3."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.pipeline.convolution import Conv3x3


class FPN(nn.Module):
    """Maps C_l of a backbone -> maps P_l of `channels` each, and `extra` coarser ones.

    Lateral 1x1 convolutions, nearest-neighbor top-down pathway, one 3x3 convolution a level.

    extra_level_source: how the extra levels are made. "subsampled": every second place of the level before; P6 then
             only serves the largest anchors (section 4.1, footnote 2). "C5" and "P5": by 3x3 convolutions of
             stride 2, on the coarsest map of the backbone (RetinaNet, section 4) or of the pyramid (FCOS).
    """

    def __init__(
        self, in_channels: list[int], channels: int, extra: int = 1, extra_level_source: str = "subsampled"
    ) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(c, channels, 1) for c in in_channels)
        self.output = nn.ModuleList(Conv3x3(channels, channels) for _ in in_channels)
        self.extra, self.extra_level_source = extra, extra_level_source
        inputs = [in_channels[-1] if extra_level_source == "C5" else channels, *[channels] * extra]
        strided = [] if extra_level_source == "subsampled" else inputs[:extra]
        self.strided = nn.ModuleList(nn.Conv2d(c, channels, 3, stride=2, padding=1) for c in strided)
        for layer in [*self.lateral, *self.output, *self.strided]:
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
        return pyramid + self.further(bottom_up[-1] if self.extra_level_source == "C5" else pyramid[-1])

    def further(self, x: Tensor) -> list[Tensor]:
        """The extra levels, from the coarsest map."""
        levels: list[Tensor] = []
        if self.extra_level_source == "subsampled":
            for _ in range(self.extra):
                levels.append(F.max_pool2d(levels[-1] if levels else x, 1, stride=2))
        for conv in self.strided:
            levels.append(conv(F.relu(levels[-1]) if levels else x))
        return levels
