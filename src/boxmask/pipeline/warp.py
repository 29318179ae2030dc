"""Warp regions of a photo to the input size of a CNN.

R-CNN (Girshick et al. 2014, arXiv:1311.2524), section 2.1 and appendix A: a region of any shape is warped to
a square, with `context` pixels around it, counted in the square. Pixels outside the photo are filled with the
mean.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from boxmask.kernels.threads import parallel_for
from boxmask.kernels.warp_loops import warp_regions
from boxmask.pipeline.images import Size

REGIONS_PER_TASK = 16  # regions that a thread warps at a time


def warp(
    pixels: Float[Tensor, "3 H W"], size: Size, boxes: Float[Tensor, "P 4"], side: int, context: int
) -> Float[Tensor, "P 3 S S"]:
    """Crop and warp: every pixel is the mean of the photo's pixels that it covers; channels last.

    pixels: one normalized photo, so that its mean is 0
    size:   (height, width) of the photo inside the padding
    """
    enlarged = with_context(boxes, side, context)
    if pixels.device.type != "cpu":
        from boxmask.torchvision_import import torchvision

        framed = F.pad(pixels[None, :, : size[0], : size[1]], [1, 1, 1, 1])  # RoIAlign repeats the border
        regions: Tensor = torchvision.ops.roi_align(
            framed, [enlarged + 1], side, sampling_ratio=0, aligned=True
        )
        return regions.contiguous(memory_format=torch.channels_last)
    photo, out = pixels.detach().permute(1, 2, 0).contiguous().numpy(), torch.empty(len(boxes), side, side, 3)

    def work(part: tuple[Tensor, Tensor]) -> None:
        warp_regions(photo, size, part[0].numpy(), part[1].numpy())

    parallel_for(work, zip(enlarged.split(REGIONS_PER_TASK), out.split(REGIONS_PER_TASK), strict=True))
    return out.permute(0, 3, 1, 2)


def with_context(boxes: Float[Tensor, "P 4"], side: int, context: int) -> Float[Tensor, "P 4"]:
    """Enlarge boxes so that the added margin becomes `context` of the square's `side` pixels."""
    margins = (boxes[:, 2:] - boxes[:, :2]) * context / (side - 2 * context)
    return torch.cat([boxes[:, :2] - margins, boxes[:, 2:] + margins], dim=1)
