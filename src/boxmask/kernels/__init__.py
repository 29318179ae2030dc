"""The compiled loops for CPUs, with torchvision's and PyTorch's signatures, each beside what it must equal.

They are PyTorch operators: differentiable where that makes sense, visible to `torch.compile`, and (but for
`linear`, which is oneDNN's) the same bit for bit with any number of threads. Compilation happens at the first
call and is kept on disk (see `compiled`).
"""

from boxmask.kernels.align import pyramid_roi_align, roi_align
from boxmask.kernels.depthwise import depthwise
from boxmask.kernels.linear import linear
from boxmask.kernels.masks import mask_targets, paste_masks
from boxmask.kernels.nms import batched_nms, nms
from boxmask.kernels.pool import roi_pool
from boxmask.kernels.winograd import conv3x3

__all__ = [
    "batched_nms",
    "conv3x3",
    "depthwise",
    "linear",
    "mask_targets",
    "nms",
    "paste_masks",
    "pyramid_roi_align",
    "roi_align",
    "roi_pool",
]
