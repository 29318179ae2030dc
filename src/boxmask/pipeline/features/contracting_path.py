"""The contracting path of U-Net (Ronneberger et al. 2015, arXiv:1505.04597, section 2), without pretraining.

Convolutions are padded and keep the size of the map; the paper's shrink it by two pixels each.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.errors import UsageError, WeightsError
from boxmask.pipeline.segmentation.blocks import ConvBlock

PLAIN = "plain"  # its name in --backbone
CHANNELS = (64, 128, 256, 512, 1024)  # of the maps of stride 1, 2, 4, 8 and 16; figure 1


class ContractingPath(nn.Module):
    """(B, 3, H, W) -> maps of stride 1, 2, 4, 8 and 16: two 3x3 convolutions each, 2x2 max pooling between.

    norm: of the convolutions, as in ConvBlock; the paper: "none"
    Raises WeightsError if `weights` is given: there are no pretrained weights.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, norm: str, weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        if weights is not None:
            raise WeightsError(f"backbone {PLAIN} has no pretrained weights. Use --weights none.")
        self.channels: list[int] = list(CHANNELS)
        self.register_buffer("mean", torch.full((3,), 0.5))
        self.register_buffer("std", torch.full((3,), 0.25))
        inputs = (3, *CHANNELS)
        self.stages = nn.ModuleList(
            nn.Sequential(ConvBlock(before, channels, norm=norm), ConvBlock(channels, channels, norm=norm))
            for before, channels in zip(inputs, CHANNELS, strict=False)
        )

    def freeze(self, stages: int) -> None:
        """Freeze everything up to the map of stride 2 ** (stages + 1): 1 is stride 4; 0 freezes nothing."""
        self.requires_grad_(True)
        if stages > 3:
            raise UsageError(f"this backbone has no stage {stages} to freeze; it has 1 to 3")
        if stages > 0:
            blocks: Any = self.stages
            blocks[: stages + 2].requires_grad_(False)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Maps from fine to coarse."""
        maps: list[Tensor] = []
        for stage in self.stages:
            maps.append(stage(F.max_pool2d(maps[-1], 2, ceil_mode=True) if maps else pixels))
        return maps
