"""Regions of a photo, each brought to the one size that a CNN takes.

R-CNN (Girshick et al. 2014, arXiv:1311.2524), section 2.1 and appendix A: whatever its shape, a region is
warped to a square, with `context` pixels around it, counted in the square; what lies outside the photo is
filled with the mean.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from boxmask.kernels import roi_align


def warp(
    pixels: Float[Tensor, "1 3 H W"], boxes: Float[Tensor, "P 4"], size: int, context: int
) -> Float[Tensor, "P 3 size size"]:
    """Cut out and warp: every pixel is the mean of those of the photo that it covers, channels last.

    pixels: one normalised photo, so that the mean is 0, which is what RoIAlign reads outside of it
    """
    around = with_context(boxes, size, context)
    rois = torch.cat([around.new_zeros(len(around), 1), around], dim=1)
    regions = roi_align(pixels, rois, size, 1.0, sampling_ratio=0, aligned=True)
    return regions.contiguous(memory_format=torch.channels_last)


def with_context(boxes: Float[Tensor, "P 4"], size: int, context: int) -> Float[Tensor, "P 4"]:
    """Boxes grown on each side by what becomes `context` of the square's `size` pixels."""
    margins = (boxes[:, 2:] - boxes[:, :2]) * context / (size - 2 * context)
    return torch.cat([boxes[:, :2] - margins, boxes[:, 2:] + margins], dim=1)
