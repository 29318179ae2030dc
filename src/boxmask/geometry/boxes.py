"""Boxes: xyxy, absolute pixels, float32, continuous edges; `(N, 4)` unless a docstring says otherwise."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Boxes = Float[Tensor, "N 4"]


def areas(boxes: Boxes) -> Float[Tensor, " N"]:
    """Width times height: (N, 4) -> (N,) in square pixels."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def intersections(a: Float[Tensor, "A 4"], b: Float[Tensor, "B 4"]) -> Float[Tensor, "A B"]:
    """Pairwise area that two boxes share: (A, 4), (B, 4) -> (A, B) in square pixels."""
    left, top, right, bottom = b.T
    width = torch.minimum(a[:, 2:3], right) - torch.maximum(a[:, 0:1], left)
    height = torch.minimum(a[:, 3:4], bottom) - torch.maximum(a[:, 1:2], top)
    return width.clamp_(min=0) * height.clamp_(min=0)


def iou(a: Float[Tensor, "A 4"], b: Float[Tensor, "B 4"]) -> Float[Tensor, "A B"]:
    """Pairwise intersection over union: (A, 4), (B, 4) -> (A, B) in 0..1."""
    shared = intersections(a, b)
    return shared / (areas(a)[:, None] + areas(b) - shared)


def coverage(regions: Float[Tensor, "A 4"], boxes: Float[Tensor, "B 4"]) -> Float[Tensor, "A B"]:
    """Which part of each box lies in each region: (A, 4), (B, 4) -> (A, B) in 0..1; an empty box gives 0."""
    return intersections(regions, boxes) / areas(boxes).clamp(min=torch.finfo(boxes.dtype).tiny)


def clip(boxes: Boxes, size: tuple[int, int]) -> Boxes:
    """Clip to a photo of `size` (height, width)."""
    height, width = size
    limit = boxes.new_tensor([width, height, width, height])
    return torch.minimum(boxes.clamp(min=0), limit)


def at_least(boxes: Boxes, side: float) -> Bool[Tensor, " N"]:
    """True where width and height are `side` pixels or more: (N, 4) -> (N,)."""
    return (boxes[:, 2:] - boxes[:, :2]).amin(dim=1) >= side


def rescale(boxes: Boxes, source: tuple[int, int], destination: tuple[int, int]) -> Boxes:
    """Boxes of a photo of size `source` (height, width), in the same photo at size `destination`."""
    y, x = destination[0] / source[0], destination[1] / source[1]
    return boxes * boxes.new_tensor([x, y, x, y])
