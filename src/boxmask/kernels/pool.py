"""RoIPool: the maximum in each bin of a region whose edges are rounded to pixels.

Girshick, "Fast R-CNN", 2015, arXiv:1504.08083, section 2.1.

On a CPU it runs the loops in `pool_loops`; on other devices it calls torchvision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from boxmask.kernels.layout import aligned_empty, channel_blocks, channels_last
from boxmask.kernels.operators import operator_or_function
from boxmask.kernels.pool_loops import pool_backward, pool_forward
from boxmask.kernels.rois import RoiGroup, check_rois, group_rois, to_pair, to_rois
from boxmask.kernels.threads import parallel_for


def roi_pool(
    input: Tensor,
    boxes: Tensor | Sequence[Tensor],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
) -> Tensor:
    """Pool every RoI to a fixed size, like `torchvision.ops.roi_pool`.

    input:         (N, C, H, W); channels-last is fastest, other layouts are converted
    boxes:         (R, 5) rows of (image, x1, y1, x2, y2), or one (L, 4) per image
    spatial_scale: pixels of `input` per pixel of the boxes
    Returns (R, C, h, w), contiguous; bins outside the image are 0. Raises ValueError for invalid shapes,
    types or image indices.
    """
    rois, size = to_rois(boxes), to_pair(output_size)
    if rois.device.type != "cpu":
        from boxmask.torchvision_import import torchvision

        pooled: Tensor = torchvision.ops.roi_pool(input, rois, size, spatial_scale)
    else:
        pooled = operator_or_function(_pool, _pool_on_cpu, input, rois)(input, rois, size, spatial_scale)
    return pooled


def _pool_on_cpu(feature: Tensor, rois: Tensor, output_size: Sequence[int], spatial_scale: float) -> Tensor:
    levels = torch.zeros(len(rois), dtype=torch.int64)
    check_rois([feature], rois, levels)
    pooled = aligned_empty(feature, len(rois), feature.shape[1], *output_size)
    maps, table, out = channels_last(feature), rois.detach().contiguous().numpy(), pooled.numpy()

    def pool(group: RoiGroup) -> None:
        pool_forward(maps, table, group.rows, spatial_scale, out)

    groups = group_rois(table, levels.numpy(), [spatial_scale], feature.shape[0])
    parallel_for(pool, [chunk for group in groups for chunk in group.chunks()])
    return pooled


_pool = torch.library.custom_op("boxmask::roi_pool", _pool_on_cpu, mutates_args=(), device_types="cpu")


@torch.library.custom_op("boxmask::roi_pool_backward", mutates_args=(), device_types="cpu")
def _pool_backward(grad: Tensor, feature: Tensor, rois: Tensor, spatial_scale: float) -> Tensor:
    maps, table = channels_last(feature), rois.detach().contiguous().numpy()
    grad_pooled, grad_feature = grad.detach().contiguous().numpy(), aligned_empty(grad, *maps.shape)
    grad_maps, levels = grad_feature.numpy(), np.zeros(len(rois), np.int64)

    def add(task: tuple[RoiGroup, slice]) -> None:
        group, block = task
        part = np.ascontiguousarray(maps[group.image, :, :, block])
        grad_part = np.zeros_like(part)
        pool_backward(grad_pooled, block.start, part, table, group.rows, spatial_scale, grad_part)
        grad_maps[group.image, :, :, block] = grad_part

    groups = group_rois(table, levels, [spatial_scale], len(maps))
    blocks = channel_blocks(grad.shape[1], torch.get_num_threads())
    parallel_for(add, [(group, block) for group in groups for block in blocks])
    return grad_feature.permute(0, 3, 1, 2)


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
