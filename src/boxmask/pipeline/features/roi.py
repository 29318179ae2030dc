"""RoI features: every region of interest as one small map, from the level that suits its size."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from boxmask.geometry import boxes as box
from boxmask.kernels import pyramid_roi_align

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
) -> Int[Tensor, " R"]:
    """Which map each RoI is read from: (R, 5) -> (R,) index into `strides`.

    FPN, equation 1: k = floor(k0 + log2(sqrt(w h) / s0)) with `canonical` = (s0 in pixels, the stride of
    level k0); strides are powers of two, fine to coarse.
    """
    size, stride = canonical
    scale = torch.log2(box.areas(rois[:, 1:]).sqrt() / size)
    levels = (scale + math.log2(stride) + LEVEL_EPSILON).floor() - math.log2(strides[0])
    return levels.clamp(0, len(strides) - 1).long()


def align(
    features: list[Tensor],
    per_image: list[Float[Tensor, "P 4"]],
    strides: tuple[int, ...],
    canonical: tuple[int, int],
    grid: tuple[int, int],
) -> Float[Tensor, "R C size size"]:
    """RoIAlign of the boxes of each image, each from the level that suits it.

    features: of `strides`, and perhaps coarser ones, which are not read; canonical: as in `assign_levels`
    grid:     size of the result, and samples of a bin along each axis
    """
    rois = to_rois(per_image)
    levels, scales = assign_levels(rois, strides, canonical), [1 / stride for stride in strides]
    size, samples = grid
    return pyramid_roi_align(features[: len(scales)], rois, levels, size, scales, samples, aligned=False)
