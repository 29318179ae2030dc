"""Compiled operators for CPUs, with the signatures of torchvision and PyTorch.

They are PyTorch operators: differentiable where that makes sense, and visible to `torch.compile`. Results are
the same bit for bit with any number of threads, except for `linear`, which is oneDNN's. Each operator is
tested against plain PyTorch code in `reference`. Loops are compiled at the first call; their machine code is
cached on disk (see `compiled`).
"""

from boxmask.kernels.align import pyramid_roi_align, roi_align
from boxmask.kernels.depthwise import depthwise
from boxmask.kernels.linear import linear, linear_backend
from boxmask.kernels.masks import mask_targets, paste_masks
from boxmask.kernels.nms import batched_nms, nms
from boxmask.kernels.pool import roi_pool
from boxmask.kernels.winograd import conv3x3

__all__ = [
    "batched_nms",
    "conv3x3",
    "depthwise",
    "linear",
    "linear_backend",
    "mask_targets",
    "nms",
    "paste_masks",
    "pyramid_roi_align",
    "roi_align",
    "roi_pool",
]
