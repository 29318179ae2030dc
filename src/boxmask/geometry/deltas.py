"""Deltas (dx, dy, dw, dh): how a box regressor moves an anchor or proposal onto an object.

R-CNN, appendix C (arXiv:1311.2524): equations 1-4 are `decode`, 6-9 are `encode`.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

MAX_LOG_SCALE = math.log(1000 / 16)  # a delta may enlarge a side at most 62.5 times (py-faster-rcnn)

Weights = tuple[float, float, float, float]


def encode(
    anchors: Float[Tensor, "N 4"], boxes: Float[Tensor, "N 4"], weights: Weights = (1.0, 1.0, 1.0, 1.0)
) -> Float[Tensor, "N 4"]:
    """Deltas that move `anchors` onto `boxes`, times `weights` (one over their usual spread)."""
    anchor_size, size = anchors[:, 2:] - anchors[:, :2], boxes[:, 2:] - boxes[:, :2]
    anchor_center, center = anchors[:, :2] + anchor_size / 2, boxes[:, :2] + size / 2
    shift, scale = (center - anchor_center) / anchor_size, torch.log(size / anchor_size)
    return torch.cat([shift, scale], dim=1) * anchors.new_tensor(weights)


def decode(
    anchors: Float[Tensor, "N 4"], deltas: Float[Tensor, "N 4"], weights: Weights = (1.0, 1.0, 1.0, 1.0)
) -> Float[Tensor, "N 4"]:
    """Move `anchors` by `deltas`; the inverse of `encode`."""
    deltas = deltas / anchors.new_tensor(weights)
    anchor_size = anchors[:, 2:] - anchors[:, :2]
    center = anchors[:, :2] + anchor_size / 2 + deltas[:, :2] * anchor_size
    size = anchor_size * torch.exp(deltas[:, 2:].clamp(max=MAX_LOG_SCALE))
    return torch.cat([center - size / 2, center + size / 2], dim=1)
