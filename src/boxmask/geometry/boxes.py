"""Boxes and deltas between boxes: xyxy, absolute pixels, float32, continuous edges; `(N, 4)` by default."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Boxes = Float[Tensor, "N 4"]
DeltaWeights = tuple[float, float, float, float]

MAX_LOG_SCALE = math.log(1000 / 16)  # a delta scales a side by at most 62.5 (py-faster-rcnn)


def areas(boxes: Boxes) -> Float[Tensor, " N"]:
    """Return width times height: (N, 4) -> (N,) in square pixels."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def intersections(a: Float[Tensor, "A 4"], b: Float[Tensor, "B 4"]) -> Float[Tensor, "A B"]:
    """Return the pairwise intersection areas: (A, 4), (B, 4) -> (A, B) in square pixels."""
    left, top, right, bottom = b.T
    width = torch.minimum(a[:, 2:3], right) - torch.maximum(a[:, 0:1], left)
    height = torch.minimum(a[:, 3:4], bottom) - torch.maximum(a[:, 1:2], top)
    return width.clamp_(min=0) * height.clamp_(min=0)


def iou(a: Float[Tensor, "A 4"], b: Float[Tensor, "B 4"]) -> Float[Tensor, "A B"]:
    """Return the pairwise intersection over union: (A, 4), (B, 4) -> (A, B) in 0..1."""
    shared = intersections(a, b)
    return shared / (areas(a)[:, None] + areas(b) - shared)


def coverage(regions: Float[Tensor, "A 4"], boxes: Float[Tensor, "B 4"]) -> Float[Tensor, "A B"]:
    """Return the fraction of each box that each region covers: (A, 4), (B, 4) -> (A, B) in 0..1.

    It is 0 for a box without area.
    """
    return intersections(regions, boxes) / areas(boxes).clamp(min=torch.finfo(boxes.dtype).tiny)


def clip(boxes: Boxes, size: tuple[int, int]) -> Boxes:
    """Clip boxes to a photo of `size` (height, width)."""
    height, width = size
    limit = boxes.new_tensor([width, height, width, height])
    return torch.minimum(boxes.clamp(min=0), limit)


def large_enough(boxes: Boxes, min_side: float) -> Bool[Tensor, " N"]:
    """Return True for boxes whose sides are both at least `min_side` pixels: (N, 4) -> (N,)."""
    return (boxes[:, 2:] - boxes[:, :2]).amin(dim=1) >= min_side


def rescale(boxes: Boxes, source: tuple[int, int], destination: tuple[int, int]) -> Boxes:
    """Scale boxes along with their photo, from size `source` (height, width) to size `destination`."""
    y, x = destination[0] / source[0], destination[1] / source[1]
    return boxes * boxes.new_tensor([x, y, x, y])


# ---------------------------------------------------------------- deltas (R-CNN, arXiv:1311.2524, appendix C)
# (dx, dy, dw, dh): how a box regressor moves an anchor or proposal onto an object.


def encode(
    anchors: Float[Tensor, "N 4"], boxes: Float[Tensor, "N 4"], weights: DeltaWeights = (1.0, 1.0, 1.0, 1.0)
) -> Float[Tensor, "N 4"]:
    """Return the deltas that move `anchors` onto `boxes`, times `weights` (equations 6 to 9).

    The weights are usually one over the standard deviation of each delta.
    """
    anchor_size, size = anchors[:, 2:] - anchors[:, :2], boxes[:, 2:] - boxes[:, :2]
    anchor_center, center = anchors[:, :2] + anchor_size / 2, boxes[:, :2] + size / 2
    shift, scale = (center - anchor_center) / anchor_size, torch.log(size / anchor_size)
    return torch.cat([shift, scale], dim=1) * anchors.new_tensor(weights)


def decode(
    anchors: Float[Tensor, "N 4"], deltas: Float[Tensor, "N 4"], weights: DeltaWeights = (1.0, 1.0, 1.0, 1.0)
) -> Float[Tensor, "N 4"]:
    """Return `anchors` moved by `deltas` (equations 1 to 4); the inverse of `encode`."""
    deltas = deltas / anchors.new_tensor(weights)
    anchor_size = anchors[:, 2:] - anchors[:, :2]
    center = anchors[:, :2] + anchor_size / 2 + deltas[:, :2] * anchor_size
    size = anchor_size * torch.exp(deltas[:, 2:].clamp(max=MAX_LOG_SCALE))
    return torch.cat([center - size / 2, center + size / 2], dim=1)
