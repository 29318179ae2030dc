"""RoI features: every region of interest as one small map, from the level that suits its size."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from boxmask.geometry import boxes as box

LEVEL_EPSILON = 1e-6  # a 224-pixel box belongs to its level whatever the rounding of its root


def to_rois(per_image: list[Tensor]) -> Float[Tensor, "R 5"]:
    """Proposals of each image, B x (P, 4) -> rows of batch index and box, (R, 5)."""
    rows = [
        torch.cat([boxes.new_full((len(boxes), 1), index), boxes], dim=1)
        for index, boxes in enumerate(per_image)
    ]
    return torch.cat(rows)


def assign_levels(
    rois: Float[Tensor, "R 5"], strides: tuple[int, ...], canonical: tuple[int, int]
) -> Int[Tensor, R]:
    """Which map each RoI is read from: (R, 5) -> (R,) index into `strides`.

    FPN, equation 1: k = floor(k0 + log2(sqrt(w h) / s0)) with `canonical` = (s0 in pixels, the stride of
    level k0); strides are powers of two, fine to coarse.
    """
    size, stride = canonical
    scale = torch.log2(box.areas(rois[:, 1:]).sqrt() / size)
    levels = (scale + math.log2(stride) + LEVEL_EPSILON).floor() - math.log2(strides[0])
    return levels.clamp(0, len(strides) - 1).long()
