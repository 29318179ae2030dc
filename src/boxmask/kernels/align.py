"""RoIAlign: the mean of bilinear samples in each bin of a region, without rounding.

He, Gkioxari, Dollár and Girshick, "Mask R-CNN", 2017, arXiv:1703.06870, section 3 ("RoIAlign").

(features per level, rois, level per RoI) → each RoI pooled from its level → (R, C, h, w)

One operator serves feature pyramids and, as a pyramid of one level, torchvision's `roi_align`. On a CPU it
runs the loops in `align_loops`; on other devices it calls torchvision.

Features and their gradients are channels-last. The result is contiguous (R, C, h, w): the next fully
connected layer flattens it without a copy, in the order of torchvision's weights. The loops transpose each
RoI while it is in the cache (4 µs for 256×7×7); flattening a channels-last result would copy all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from boxmask.kernels.align_loops import Band, Sampling, align_backward, align_forward
from boxmask.kernels.layout import aligned_empty, channels_last, map_shapes
from boxmask.kernels.operators import operator_or_function
from boxmask.kernels.rois import RoiGroup, check_rois, group_rois, split_evenly, to_pair, to_rois
from boxmask.kernels.threads import parallel_for


def roi_align(
    input: Tensor,
    boxes: Tensor | Sequence[Tensor],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Pool every RoI to a fixed size, like `torchvision.ops.roi_align`.

    input:          (N, C, H, W); channels-last is fastest, other layouts are converted
    boxes:          (R, 5) rows of (image, x1, y1, x2, y2), or one (L, 4) per image
    spatial_scale:  pixels of `input` per pixel of the boxes
    sampling_ratio: samples per bin along each axis; 0 or less for one sample per pixel of the bin
    aligned:        shift by half a pixel, so that pixel centers are at .5, and allow RoIs below one pixel
    Returns (R, C, h, w), contiguous. Raises ValueError for invalid shapes, types or image indices.
    """
    rois = to_rois(boxes)
    levels = torch.zeros(len(rois), dtype=torch.int64, device=rois.device)
    return pyramid_roi_align([input], rois, levels, output_size, [spatial_scale], sampling_ratio, aligned)


def pyramid_roi_align(
    features: Sequence[Tensor],
    boxes: Tensor | Sequence[Tensor],
    levels: Tensor,
    output_size: int | Sequence[int],
    spatial_scales: Sequence[float],
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Pool every RoI from its own level of a feature pyramid.

    features:       one (N, C, H, W) per level, finest first; channels-last is fastest
    boxes:          (R, 5) rows of (image, x1, y1, x2, y2), or one (L, 4) per image; pixels of the image
    levels:         (R,) int64, the index in `features` of each RoI's level
    spatial_scales: one per level, pixels of the level per pixel of the image
    Returns (R, C, h, w), contiguous. Raises ValueError for invalid shapes, types or indices.
    """
    rois, size, maps = to_rois(boxes), to_pair(output_size), list(features)
    if len(spatial_scales) != len(maps):
        raise ValueError(f"spatial_scales: expected {len(maps)}, one per level, found {len(spatial_scales)}")
    if rois.device.type != "cpu":
        return _align_by_torchvision(maps, rois, levels, size, spatial_scales, sampling_ratio, aligned)
    align = operator_or_function(_align, _align_on_cpu, *maps, rois, levels)
    return align(maps, rois, levels, size, list(spatial_scales), sampling_ratio, aligned)


def _align_by_torchvision(
    features: list[Tensor],
    rois: Tensor,
    levels: Tensor,
    size: list[int],
    scales: Sequence[float],
    sampling: int,
    aligned: bool,
) -> Tensor:
    """Call torchvision's kernel once per level, with the RoIs sorted by level."""
    from boxmask.torchvision_import import torchvision

    order = levels.argsort()
    counts = (levels[:, None] == torch.arange(len(features), device=levels.device)).sum(dim=0).tolist()
    parts = [
        torchvision.ops.roi_align(feature, rows, size, scale, sampling, aligned).to(rois.dtype)
        for feature, rows, scale in zip(features, rois[order].split(counts), scales, strict=True)
    ]
    return torch.cat(parts).index_select(0, order.argsort())


def _align_on_cpu(
    features: Sequence[Tensor],
    rois: Tensor,
    levels: Tensor,
    output_size: Sequence[int],
    spatial_scales: Sequence[float],
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    check_rois(features, rois, levels)
    pooled = aligned_empty(features[0], len(rois), features[0].shape[1], *output_size)
    maps = [channels_last(feature) for feature in features]
    table, out = rois.detach().contiguous().numpy(), pooled.numpy()

    def pool(group: RoiGroup) -> None:
        sampling = Sampling(spatial_scales[group.level], sampling_ratio, aligned)
        align_forward(maps[group.level], table, group.rows, sampling, out)

    groups = group_rois(table, levels.numpy(), spatial_scales, features[0].shape[0])
    parallel_for(pool, [chunk for group in groups for chunk in group.chunks()])
    return pooled


_align = torch.library.custom_op(
    "boxmask::pyramid_roi_align", _align_on_cpu, mutates_args=(), device_types="cpu"
)


@torch.library.custom_op("boxmask::pyramid_roi_align_backward", mutates_args=(), device_types="cpu")
def _align_backward(
    grad: Tensor,
    rois: Tensor,
    levels: Tensor,
    sizes: Sequence[int],
    spatial_scales: Sequence[float],
    sampling_ratio: int,
    aligned: bool,
) -> list[Tensor]:
    """Return one gradient per level. sizes: N, H, W of all levels."""
    grads = [aligned_empty(grad, *shape) for shape in map_shapes(grad, sizes)]
    maps = [level_grad.numpy() for level_grad in grads]
    table, grad_pooled = rois.detach().contiguous().numpy(), grad.detach().contiguous().numpy()

    def add(task: tuple[RoiGroup, Band]) -> None:
        group, band = task
        sampling = Sampling(spatial_scales[group.level], sampling_ratio, aligned)
        align_backward(grad_pooled, table, group.rows, sampling, band, maps[group.level])

    tasks = []
    for group in group_rois(table, levels.numpy(), spatial_scales, sizes[0]):
        centers = group.centers(table, spatial_scales[group.level])
        bands = split_evenly(maps[group.level].shape[1], centers, torch.get_num_threads())
        tasks += [(group, Band(group.image, *band)) for band in bands]
    parallel_for(add, tasks)
    return [level_grad.permute(0, 3, 1, 2) for level_grad in grads]


@_align.register_fake
def _(
    features: Sequence[Tensor],
    rois: Tensor,
    levels: Tensor,
    output_size: Sequence[int],
    spatial_scales: Sequence[float],
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    return features[0].new_empty(rois.shape[0], features[0].shape[1], *output_size)


@_align_backward.register_fake
def _(
    grad: Tensor,
    rois: Tensor,
    levels: Tensor,
    sizes: Sequence[int],
    spatial_scales: Sequence[float],
    sampling_ratio: int,
    aligned: bool,
) -> list[Tensor]:
    return [grad.new_empty(shape).permute(0, 3, 1, 2) for shape in map_shapes(grad, sizes)]


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    features, rois, levels, _, *ctx.options = inputs
    ctx.sizes = [n for feature in features for n in (feature.shape[0], *feature.shape[2:])]
    ctx.save_for_backward(rois, levels)


def _backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    rois, levels = ctx.saved_tensors
    return _align_backward(grad, rois, levels, ctx.sizes, *ctx.options), None, None, None, None, None, None


_align.register_autograd(_backward, setup_context=_setup_context)
_align.register_autocast("cpu", torch.float32)
