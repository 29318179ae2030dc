"""RoIPool: the maximum over each bin of a region whose edges are rounded to pixels.

Girshick, "Fast R-CNN", 2015, arXiv:1504.08083, section 2.1.

On a CPU it runs the loops of `pool_loops`; elsewhere it calls torchvision's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torchvision
from torch import Tensor

from boxmask.kernels.layout import blocks, channels_last, empty_channels_last, fresh
from boxmask.kernels.pool_loops import pool_backward, pool_forward
from boxmask.kernels.rois import Visit, check_rois, to_pair, to_rois, visits
from boxmask.kernels.threads import share_out


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
        pooled = _pool(input, rois, size, spatial_scale)[0]
    return pooled


@torch.library.custom_op("boxmask::roi_pool", mutates_args=(), device_types="cpu")
def _pool(
    feature: Tensor, rois: Tensor, output_size: Sequence[int], spatial_scale: float
) -> tuple[Tensor, Tensor]:
    levels = torch.zeros(len(rois), dtype=torch.int64)
    check_rois([feature], rois, levels)
    pooled, places = _outputs(feature, rois, output_size)
    source, table = channels_last(feature), rois.detach().contiguous().numpy()
    out, out_places = pooled.numpy(), places.numpy()

    def work(visit: Visit) -> None:
        pool_forward(source, table, visit.rows, spatial_scale, out, out_places)

    found = visits(table, levels.numpy(), [spatial_scale], feature.shape[0])
    share_out(work, [portion for visit in found for portion in visit.portions()])
    return pooled, places


@torch.library.custom_op("boxmask::roi_pool_backward", mutates_args=(), device_types="cpu")
def _pool_backward(
    grad: Tensor, places: Tensor, rois: Tensor, sizes: Sequence[int], spatial_scale: float
) -> Tensor:
    """sizes: N, H and W of the features."""
    (into,) = empty_channels_last(grad, sizes)
    target, given = channels_last(into), grad.detach().contiguous().numpy()
    table, chosen = rois.detach().contiguous().numpy(), places.numpy()
    levels = torch.zeros(len(rois), dtype=torch.int64)

    def work(task: tuple[Visit, int, int]) -> None:
        visit, begin, end = task
        pool_backward(given, chosen, visit.rows, visit.image, begin, end, target)

    found = visits(table, levels.numpy(), [spatial_scale], sizes[0])
    share_out(work, [(visit, *block) for visit in found for block in blocks(grad.shape[1])])
    return into


@_pool.register_fake
def _(
    feature: Tensor, rois: Tensor, output_size: Sequence[int], spatial_scale: float
) -> tuple[Tensor, Tensor]:
    return _outputs(feature, rois, output_size)


@_pool_backward.register_fake
def _(grad: Tensor, places: Tensor, rois: Tensor, sizes: Sequence[int], spatial_scale: float) -> Tensor:
    return empty_channels_last(grad, sizes)[0]


def _outputs(feature: Tensor, rois: Tensor, output_size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The pooled features and, for each of them, the place of its pixel in the map."""
    count, channels = rois.shape[0], feature.shape[1]
    places = fresh(feature, count, channels, *output_size, dtype=torch.int32)
    return fresh(feature, count, channels, *output_size), places


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    feature, rois, _, ctx.spatial_scale = inputs
    ctx.sizes = [feature.shape[0], *feature.shape[2:]]
    ctx.save_for_backward(output[1], rois)


def _backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor, None, None, None]:
    places, rois = ctx.saved_tensors
    return _pool_backward(grad, places, rois, ctx.sizes, ctx.spatial_scale), None, None, None


_pool.register_autograd(_backward, setup_context=_setup_context)
_pool.register_autocast("cpu", torch.float32)
