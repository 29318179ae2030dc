"""Feature Pyramid Networks for Object Detection, Lin et al. 2017 (arXiv:1612.03144).

maps of a backbone -> pyramid (section 3) -> RoI features, each from the level that suits it (section 4.2)
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.geometry import boxes as box
from boxmask.kernels import pyramid_roi_align
from boxmask.pipeline.layers import Conv3x3

LEVEL_EPSILON = 1e-6  # keeps a 224-pixel box on its level despite the rounding of its square root


class FPN(nn.Module):
    """Maps C_l of a backbone -> maps P_l of `channels` each, and `extra` coarser ones.

    Lateral 1x1 convolutions, a nearest-neighbor top-down pathway, one 3x3 convolution per level.

    extra_level_source: what the extra levels are made from. "subsampled": every second pixel of the level
        before; P6 then only serves the largest anchors (section 4.1, footnote 2). "C5" and "P5": 3x3
        convolutions of stride 2 on the coarsest map of the backbone (RetinaNet, section 4) or of the pyramid
        (FCOS).
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
        if self.extra_level_source == "subsampled":
            for _ in range(self.extra):
                pyramid.append(F.max_pool2d(pyramid[-1], 1, stride=2))
        else:
            x = bottom_up[-1] if self.extra_level_source == "C5" else pyramid[-1]
            for level, conv in enumerate(self.strided):
                x = conv(F.relu(x) if level else x)
                pyramid.append(x)
        return pyramid


# ---------------------------------------------------------------------- RoI features


def assign_levels(
    boxes: Float[Tensor, "R 4"], strides: tuple[int, ...], canonical: tuple[int, int]
) -> Int[Tensor, " R"]:
    """The level that each box is read from: (R, 4) -> (R,) index into `strides`.

    Equation 1: k = floor(k0 + log2(sqrt(w h) / s0)), with `canonical` = (s0 in pixels, the stride of level
    k0). Strides are powers of two, fine to coarse. Of maps with the same stride, the first is read.
    """
    size, stride = canonical
    scale = torch.log2(box.areas(boxes).sqrt() / size)
    levels = (scale + math.log2(stride) + LEVEL_EPSILON).floor() - math.log2(strides[0])
    return levels.clamp(0, math.log2(strides[-1] / strides[0])).long()


def align(
    features: list[Tensor],
    per_image: list[Float[Tensor, "P 4"]],
    strides: tuple[int, ...],
    canonical: tuple[int, int],
    grid: tuple[int, int],
) -> Float[Tensor, "R C size size"]:
    """RoIAlign of the boxes of each image, each from the level that suits its size.

    features:  maps of `strides`, and possibly coarser ones, which are not read
    canonical: as in `assign_levels`
    grid:      size of the result, and samples per bin along each axis
    """
    levels = assign_levels(torch.cat(per_image), strides, canonical)
    scales = [1 / stride for stride in strides]
    size, samples = grid
    return pyramid_roi_align(features[: len(scales)], per_image, levels, size, scales, samples, aligned=False)
