"""The kernels in plain PyTorch, slow and short: tests compare the compiled loops with them.

They are differentiable by autograd, so that gradients can be compared too.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.kernels.rois import to_pair, to_rois
from boxmask.masks import Masks, Size


def roi_align(
    input: Tensor,
    boxes: Tensor | Sequence[Tensor],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Compute `boxmask.kernels.roi_align` with two small matrices per RoI, one per axis."""
    bins_y, bins_x = to_pair(output_size)
    rois = to_rois(boxes)
    pooled = [input.new_zeros(0, input.shape[1], bins_y, bins_x)]
    for image, x1, y1, x2, y2 in rois:
        feature = input[int(image)]
        weight_y = _axis_weights(
            y1 * spatial_scale, y2 * spatial_scale, bins_y, feature.shape[1], sampling_ratio, aligned
        )
        weight_x = _axis_weights(
            x1 * spatial_scale, x2 * spatial_scale, bins_x, feature.shape[2], sampling_ratio, aligned
        )
        pooled.append((weight_y @ feature @ weight_x.T)[None])
    return torch.cat(pooled)


def pyramid_roi_align(
    features: Sequence[Tensor],
    rois: Tensor,
    levels: Tensor,
    output_size: int | Sequence[int],
    spatial_scales: Sequence[float],
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Compute `boxmask.kernels.pyramid_roi_align` one RoI at a time."""
    pooled = [features[0].new_zeros(0, features[0].shape[1], *to_pair(output_size))]
    for roi, level in zip(rois, levels.tolist(), strict=True):
        scale = spatial_scales[level]
        pooled.append(roi_align(features[level], roi[None], output_size, scale, sampling_ratio, aligned))
    return torch.cat(pooled)


def _axis_weights(low: Tensor, high: Tensor, bins: int, size: int, sampling: int, aligned: bool) -> Tensor:
    """Return the weight of each pixel in each bin on one axis, (bins, size)."""
    start = low - 0.5 if aligned else low
    length = high - low if aligned else (high - low).clamp(min=1)
    step = length / bins
    samples = sampling if sampling > 0 else ceil(step)
    weight = low.new_zeros(bins, size)
    for b in range(bins):
        for s in range(samples):
            at = start + b * step + (s + 0.5) * step / samples
            if -1 <= at <= size:
                at = at.clamp(0, size - 1)
                pixel = int(at)
                weight[b, pixel] += (pixel + 1 - at) / samples
                weight[b, min(pixel + 1, size - 1)] += (at - pixel) / samples
    return weight


def roi_pool(
    input: Tensor,
    boxes: Tensor | Sequence[Tensor],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
) -> Tensor:
    """Compute `boxmask.kernels.roi_pool` as the maximum of one slice per bin."""
    bins_y, bins_x = to_pair(output_size)
    rois = to_rois(boxes)
    pooled = input.new_zeros(len(rois), input.shape[1], bins_y, bins_x)
    for r, (image, *edges) in enumerate(rois.tolist()):
        x1, y1, x2, y2 = (_round(edge * spatial_scale) for edge in edges)
        for y, rows in enumerate(_slices(y1, y2, bins_y, input.shape[2], input.dtype)):
            for x, columns in enumerate(_slices(x1, x2, bins_x, input.shape[3], input.dtype)):
                part = input[int(image), :, rows, columns].flatten(1)
                if part.shape[1]:
                    pooled[r, :, y, x] = part.max(dim=1).values
    return pooled


def _round(number: float) -> int:
    """Round to the nearest integer, halves away from zero."""
    return int(abs(number) + 0.5) * (1 if number >= 0 else -1)


def _slices(low: int, high: int, bins: int, size: int, dtype: torch.dtype) -> list[slice]:
    """Return the pixels of each bin on one axis; neighboring bins may share one."""
    step = torch.tensor(max(high - low + 1, 1), dtype=dtype) / bins
    edges = [(int((b * step).floor()) + low, int(((b + 1) * step).ceil()) + low) for b in range(bins)]
    return [slice(min(max(a, 0), size), min(max(b, 0), size)) for a, b in edges]


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Compute `boxmask.kernels.nms`: keep the best box, drop the boxes that overlap it, and repeat."""
    rows, kept = torch.sort(scores, descending=True, stable=True).indices, []
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    while len(rows):
        best, rows = rows[0], rows[1:]
        kept.append(int(best))
        corner, end = boxes[best, :2].maximum(boxes[rows, :2]), boxes[best, 2:].minimum(boxes[rows, 2:])
        shared = (end - corner).clamp(min=0).prod(dim=1)
        rows = rows[~(shared / (areas[best] + areas[rows] - shared) > iou_threshold)]
    return torch.tensor(kept, dtype=torch.int64)


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """Compute `boxmask.kernels.batched_nms` one class at a time, and sort by score."""
    kept = [torch.zeros(0, dtype=torch.int64)]
    for group in torch.unique(idxs):
        rows = torch.nonzero(idxs == group)[:, 0]
        kept.append(rows[nms(boxes[rows], scores[rows], iou_threshold)])
    rows = torch.cat(kept).sort().values
    return rows[torch.sort(scores[rows], descending=True, stable=True).indices]


def mask_targets(masks: Masks, rows: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Compute `boxmask.kernels.mask_targets` by RoIAlign of the full masks."""
    full = torch.from_numpy(masks.dense()).to(boxes.dtype)[:, None]
    return roi_align(full, torch.cat([rows[:, None].to(boxes.dtype), boxes], dim=1), size)[:, 0]


def paste_masks(scores: Tensor, boxes: Tensor, size: Size, threshold: float = 0.5) -> Masks:
    """Compute `boxmask.kernels.paste_masks`: resize the scores, with a border of zeros, to their boxes."""
    framed, crops, corners = F.pad(scores, (1, 1, 1, 1)), [], []
    scale = framed.shape[-1] / max(1, scores.shape[-1])
    for score, (x1, y1, x2, y2) in zip(framed, boxes, strict=True):
        half_x, half_y, x, y = (x2 - x1) / 2 * scale, (y2 - y1) / 2 * scale, (x1 + x2) / 2, (y1 + y2) / 2
        left, top, right, bottom = (int(edge) for edge in (x - half_x, y - half_y, x + half_x, y + half_y))
        shape = (max(1, bottom - top + 1), max(1, right - left + 1))
        values = F.interpolate(score[None, None], size=shape, mode="bilinear")[0, 0]
        crops.append(np.asarray(values > threshold))
        corners.append((left, top))
    return Masks.from_crops(crops, corners, size)
