"""Default boxes: SSD's anchors (Liu et al. 2016, arXiv:1512.02325, section 2.2); sides of a square of 1."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor


def cell_shapes(scale: float, next_scale: float, ratios: tuple[int, ...]) -> Float[Tensor, "A 4"]:
    """A cell's default boxes about the origin, in parts of the square's side, none larger than it."""
    sizes = [(scale, scale), (math.sqrt(scale * next_scale),) * 2]
    for ratio in ratios:
        long, short = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
        sizes += [(long, short), (short, long)]
    half = torch.tensor(sizes).clamp(max=1) / 2
    return torch.cat([-half, half], dim=1)


def at_cells(
    shapes: Float[Tensor, "A 4"], grid: tuple[int, int], cells: tuple[float, float]
) -> Float[Tensor, "N 4"]:
    """`shapes` about the center of each cell of a (H, W) `grid`, row by row: (A, 4) -> (H * W * A, 4).

    cells: how many fill the square, downwards and across: the grid's own numbers, or the side over the step
    """
    device = shapes.device
    ys, xs = ((torch.arange(n, device=device) + 0.5) / fit for n, fit in zip(grid, cells, strict=True))
    y, x = torch.meshgrid(ys, xs, indexing="ij")
    return (torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4) + shapes).reshape(-1, 4)
