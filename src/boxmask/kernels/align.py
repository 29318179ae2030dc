"""RoIAlign: mean of bilinear samples over each bin of a region, without rounding.

He, Gkioxari, Dollár and Girshick, "Mask R-CNN", 2017, arXiv:1703.06870, section 3 ("RoIAlign").

(levels of features, rois, a level for each RoI) → every RoI pooled from its own level → (R, C, h, w)

One operator serves a pyramid and, as a pyramid of one level, torchvision's `roi_align`. On a CPU it runs the
loops of `align_loops`; elsewhere it calls torchvision's.

Features and their gradients are channels-last, the result is contiguous (R, C, h, w): the fully connected
layer that follows flattens it for free, in the order of torchvision's weights. The loops turn each RoI while
it is in the cache (4 µs for 256×7×7); to flatten a channels-last result, all of it would have to move through
memory once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torchvision
from torch import Tensor

from boxmask.kernels.align_loops import Band, Sampling, align_backward, align_forward
from boxmask.kernels.layout import channels_last, fresh, map_shapes
from boxmask.kernels.rois import Visit, check_rois, cut_evenly, to_pair, to_rois, visits
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

    input:          (N, C, H, W); channels-last is fastest, anything else is converted once
    boxes:          (R, 5) rows of (image, x1, y1, x2, y2), or for each image (L, 4)
    spatial_scale:  pixels of `input` per pixel of the boxes
    sampling_ratio: samples of a bin along each axis; 0 or less for as many as the bin has pixels
    aligned:        move by half a pixel, so that pixel centers lie at .5, and allow RoIs under a pixel
    Returns (R, C, h, w), contiguous. Raises ValueError for shapes, types or image numbers that do not fit.
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
    """Pool every RoI from its own level of a pyramid, in one go.

    features:       one (N, C, H, W) for each level, finest first; channels-last is fastest
    boxes:          (R, 5) rows of (image, x1, y1, x2, y2), or for each image (L, 4), in pixels of the photo
    levels:         (R,) int64, which of `features` each RoI is pooled from
    spatial_scales: for each level, its pixels per pixel of the photo
    Returns (R, C, h, w), contiguous. Raises ValueError for shapes, types or numbers that do not fit.
    """
    rois, size, maps = to_rois(boxes), to_pair(output_size), list(features)
    if len(spatial_scales) != len(maps):
        raise ValueError(f"spatial_scales: expected {len(maps)}, one a level, found {len(spatial_scales)}")
    if rois.device.type != "cpu":
        return _elsewhere(maps, rois, levels, size, spatial_scales, sampling_ratio, aligned)
    pooled: Tensor = _align(maps, rois, levels, size, list(spatial_scales), sampling_ratio, aligned)
    return pooled


def _elsewhere(
    features: list[Tensor],
    rois: Tensor,
    levels: Tensor,
    size: list[int],
    scales: Sequence[float],
    sampling: int,
    aligned: bool,
) -> Tensor:
    """torchvision's own kernel, level by level."""
    pooled = rois.new_zeros(len(rois), features[0].shape[1], *size)
    for level, (feature, scale) in enumerate(zip(features, scales, strict=True)):
        rows = torch.nonzero(levels == level)[:, 0]
        part: Tensor = torchvision.ops.roi_align(feature, rois[rows], size, scale, sampling, aligned)
        pooled = pooled.index_copy(0, rows, part.to(pooled.dtype))
    return pooled


@torch.library.custom_op("boxmask::pyramid_roi_align", mutates_args=(), device_types="cpu")
def _align(
    features: Sequence[Tensor],
    rois: Tensor,
    levels: Tensor,
    output_size: Sequence[int],
    spatial_scales: Sequence[float],
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    check_rois(features, rois, levels)
    pooled = fresh(features[0], len(rois), features[0].shape[1], *output_size)
    maps = [channels_last(feature) for feature in features]
    table, out = rois.detach().contiguous().numpy(), pooled.numpy()

    def work(visit: Visit) -> None:
        sampling = Sampling(spatial_scales[visit.level], sampling_ratio, aligned)
        align_forward(maps[visit.level], table, visit.rows, sampling, out)

    found = visits(table, levels.numpy(), spatial_scales, features[0].shape[0])
    parallel_for(work, [portion for visit in found for portion in visit.portions()])
    return pooled


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
    """sizes: N, H and W of each level in a row."""
    grads = [fresh(grad, *shape) for shape in map_shapes(grad, sizes)]
    maps = [one.numpy() for one in grads]
    table, given = rois.detach().contiguous().numpy(), grad.detach().contiguous().numpy()

    def work(task: tuple[Visit, Band]) -> None:
        visit, band = task
        sampling = Sampling(spatial_scales[visit.level], sampling_ratio, aligned)
        align_backward(given, table, visit.rows, sampling, band, maps[visit.level])

    tasks = []
    for visit in visits(table, levels.numpy(), spatial_scales, sizes[0]):
        centers = visit.centers(table, spatial_scales[visit.level])
        bands = cut_evenly(maps[visit.level].shape[1], centers, torch.get_num_threads())
        tasks += [(visit, Band(visit.image, *band)) for band in bands]
    parallel_for(work, tasks)
    return [one.permute(0, 3, 1, 2) for one in grads]


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
