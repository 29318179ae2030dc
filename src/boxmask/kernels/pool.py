"""RoIPool: the maximum over each bin of a region whose edges are rounded to pixels.

Girshick, "Fast R-CNN", 2015, arXiv:1504.08083, section 2.1.

On a CPU it runs the loops of `pool_loops`; elsewhere it calls torchvision's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torchvision
from torch import Tensor

from boxmask.kernels.layout import blocks, channels_last, fresh
from boxmask.kernels.pool_loops import pool_backward, pool_forward
from boxmask.kernels.rois import Visit, check_rois, to_pair, to_rois, visits
from boxmask.kernels.threads import parallel_for


def roi_pool(
    input: Tensor,
    boxes: Tensor | Sequence[Tensor],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
) -> Tensor:
    """Pool every RoI to a fixed size, like `torchvision.ops.roi_pool`.

    input:         (N, C, H, W); channels-last is fastest, anything else is converted once
    boxes:         (R, 5) rows of (image, x1, y1, x2, y2), or for each image (L, 4)
    spatial_scale: pixels of `input` per pixel of the boxes
    Returns (R, C, h, w), contiguous; bins outside the photo are 0. Raises ValueError for shapes, types or
    image numbers that do not fit.
    """
    rois, size = to_rois(boxes), to_pair(output_size)
    if rois.device.type != "cpu":
        pooled: Tensor = torchvision.ops.roi_pool(input, rois, size, spatial_scale)
    else:
        pooled = _pool(input, rois, size, spatial_scale)
    return pooled


@torch.library.custom_op("boxmask::roi_pool", mutates_args=(), device_types="cpu")
def _pool(feature: Tensor, rois: Tensor, output_size: Sequence[int], spatial_scale: float) -> Tensor:
    levels = torch.zeros(len(rois), dtype=torch.int64)
    check_rois([feature], rois, levels)
    pooled = fresh(feature, len(rois), feature.shape[1], *output_size)
    source, table, out = channels_last(feature), rois.detach().contiguous().numpy(), pooled.numpy()

    def work(visit: Visit) -> None:
        pool_forward(source, table, visit.rows, spatial_scale, out)

    found = visits(table, levels.numpy(), [spatial_scale], feature.shape[0])
    parallel_for(work, [portion for visit in found for portion in visit.portions()])
    return pooled


@torch.library.custom_op("boxmask::roi_pool_backward", mutates_args=(), device_types="cpu")
def _pool_backward(grad: Tensor, feature: Tensor, rois: Tensor, spatial_scale: float) -> Tensor:
    source, table = channels_last(feature), rois.detach().contiguous().numpy()
    given, into = grad.detach().contiguous().numpy(), fresh(grad, *source.shape)
    target, levels = into.numpy(), torch.zeros(len(rois), dtype=torch.int64)

    def work(task: tuple[Visit, slice]) -> None:
        visit, block = task
        part = np.ascontiguousarray(source[visit.image, :, :, block])
        grad_part = np.zeros_like(part)
        pool_backward(given, block.start, part, table, visit.rows, spatial_scale, grad_part)
        target[visit.image, :, :, block] = grad_part

    found = visits(table, levels.numpy(), [spatial_scale], len(source))
    parts = blocks(grad.shape[1], torch.get_num_threads())
    parallel_for(work, [(visit, block) for visit in found for block in parts])
    return into.permute(0, 3, 1, 2)


@_pool.register_fake
def _(feature: Tensor, rois: Tensor, output_size: Sequence[int], spatial_scale: float) -> Tensor:
    return feature.new_empty(rois.shape[0], feature.shape[1], *output_size)


@_pool_backward.register_fake
def _(grad: Tensor, feature: Tensor, rois: Tensor, spatial_scale: float) -> Tensor:
    return torch.empty_like(feature, memory_format=torch.channels_last)


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    feature, rois, _, ctx.spatial_scale = inputs
    ctx.save_for_backward(feature, rois)


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
    feature, rois = ctx.saved_tensors
    return _pool_backward(grad, feature, rois, ctx.spatial_scale), None, None, None


_pool.register_autograd(_backward, setup_context=_setup_context)
_pool.register_autocast("cpu", torch.float32)
