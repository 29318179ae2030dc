"""The focal loss, by which dense heads learn from all their cells at once.

Lin et al. 2017 (RetinaNet, arXiv:1708.02002), section 3; FCOS learns by it, too.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

ROWS_AT_ONCE = 8192  # of logits: what is computed on the way to them stays small


def focal_loss(
    logits: Float[Tensor, "B N K"],
    weights: Float[Tensor, "B N"],
    objects: tuple[Int[Tensor, " Q"], Int[Tensor, " Q"], Int[Tensor, " Q"]],
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> Float[Tensor, ""]:
    """The sum of -alpha_t (1 - p_t)^gamma log(p_t) of all logits (equation 5), each row times its weight.

    objects: photo, row and label of the logits that should be high; all others should be low, so that no
    (B, N, K) targets need be written down. It can be differentiated once.
    """
    image, row, label = objects
    flat = logits.flatten(0, 1), weights.flatten(), image * logits.shape[1] + row, label
    total: Tensor = _FocalLoss.apply(*flat, alpha, gamma)
    return total


class _FocalLoss(torch.autograd.Function):
    """The gradient comes with the loss: autograd would keep eight matrices of the logits' size for it."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        logits, weights, row, label, alpha, gamma = given
        gradient, total = torch.empty_like(logits), weights.new_zeros(())
        scales = weights[:, None] * (1 - alpha)
        for begin in range(0, len(logits), ROWS_AT_ONCE):
            span = slice(begin, begin + ROWS_AT_ONCE)
            loss, slope = _of_background(logits[span].float(), gamma)
            gradient[span] = slope * scales[span]
            total += (loss * scales[span]).sum()
        x, weight = logits[row, label].float(), weights[row]
        missed, slope = _of_background(-x, gamma)  # an object's loss is the background's of minus the logit
        total += (weight * (alpha * missed - (1 - alpha) * _of_background(x, gamma)[0])).sum()
        gradient[row, label] = (-alpha * weight * slope).to(gradient.dtype)
        ctx.save_for_backward(gradient)
        done: Tensor = total.clamp(min=0)  # what was taken away again may leave a rounding error
        return done

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * grads[0], None, None, None, None, None


def _of_background(x: Tensor, gamma: float) -> tuple[Tensor, Tensor]:
    """-p^gamma log(1 - p) for p = sigmoid(x), and its slope."""
    p, log = x.sigmoid(), F.softplus(x)
    power = p**gamma
    return power * log, power * (gamma * (1 - p) * log + p)
