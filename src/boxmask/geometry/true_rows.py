"""The rows at which masks are True."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Int
from torch import Tensor


def true_rows(mask: Bool[Tensor, "B N"]) -> list[Int[Tensor, " M"]]:
    """Return the rows at which the mask of each photo is True, in ascending order: (B, N) -> B x (M,).

    A GPU is waited for once, not for each photo.
    """
    if mask.device.type == "cpu":
        return [torch.where(in_photo)[0] for in_photo in mask]
    counts = mask.sum(dim=1).tolist()
    order = mask.byte().argsort(dim=1, descending=True, stable=True)
    return [rows[:count] for rows, count in zip(order, counts, strict=True)]
