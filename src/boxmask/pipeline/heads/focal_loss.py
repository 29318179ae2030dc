"""The focal loss, which lets dense heads learn from all cells at once.

Lin et al. 2017 (RetinaNet, arXiv:1708.02002), section 3; FCOS uses it, too.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from boxmask.geometry.chunks import rows_per_chunk

ROWS_PER_CHUNK = 8192  # of the logits, on a CPU; keeps intermediate results small


def focal_loss(
    logits: Float[Tensor, "B N K"],
    weights: Float[Tensor, "B N"],
    objects: tuple[Int[Tensor, " Q"], Int[Tensor, " Q"], Int[Tensor, " Q"]],
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> Float[Tensor, ""]:
    """Sum of -alpha_t (1 - p_t)^gamma log(p_t) over all logits (equation 5), each row times its weight.

    It can be differentiated once.

    objects: photo, row and label of the logits whose target is 1; all others have target 0, so that no
             (B, N, K) targets are needed
    """
    image, row, label = objects
    flat = logits.flatten(0, 1), weights.flatten(), image * logits.shape[1] + row, label
    total: Tensor = _FocalLoss.apply(*flat, alpha, gamma)
    return total


class _FocalLoss(torch.autograd.Function):
    """Computes the gradient with the loss; autograd would keep eight matrices of the logits' size for it."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        logits, weights, row, label, alpha, gamma = inputs
        gradient, total = torch.empty_like(logits), weights.new_zeros(())
        scales = weights[:, None] * (1 - alpha)
        rows = rows_per_chunk(logits, ROWS_PER_CHUNK, logits.shape[1])
        for start in range(0, len(logits), rows):
            chunk = slice(start, start + rows)
            loss, slope = _background_loss(logits[chunk].float(), gamma)
            gradient[chunk] = slope * scales[chunk]
            total += (loss * scales[chunk]).sum()
        x, weight = logits[row, label].float(), weights[row]
        loss, slope = _background_loss(-x, gamma)  # an object's loss is the background's at minus the logit
        total += (weight * (alpha * loss - (1 - alpha) * _background_loss(x, gamma)[0])).sum()
        gradient[row, label] = (-alpha * weight * slope).to(gradient.dtype)
        ctx.save_for_backward(gradient)
        clamped: Tensor = total.clamp(min=0)  # the subtraction may leave a rounding error
        return clamped

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * grads[0], None, None, None, None, None


def _background_loss(x: Tensor, gamma: float) -> tuple[Tensor, Tensor]:
    """-p^gamma log(1 - p) for p = sigmoid(x), and its derivative."""
    p, log = x.sigmoid(), F.softplus(x)
    power = p**gamma
    return power * log, power * (gamma * (1 - p) * log + p)
