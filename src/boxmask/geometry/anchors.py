"""Anchors: the fixed boxes, tiled over a feature map, that a dense head moves and scores.

Faster R-CNN (Ren et al. 2015, arXiv:1506.01497), section 3.1.1, and SSD (Liu et al. 2016, arXiv:1512.02325),
section 2.2, which calls them default boxes. Faster R-CNN's are in pixels, around the upper left corner of
each cell; SSD's are fractions of the side of its square image, around the center of each cell.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Num
from torch import Tensor

# ---------------------------------------------------------------- Faster R-CNN's anchors


def anchor_shapes(sizes: tuple[float, ...], aspect_ratios: tuple[float, ...]) -> Float[Tensor, "A 4"]:
    """Return one box per size and aspect ratio (h / w), centered on the origin, with area size² pixels.

    The coordinates are rounded to whole pixels, as in py-faster-rcnn's generate_anchors.
    """
    ratios = torch.tensor(aspect_ratios).sqrt()[:, None]
    scales = torch.tensor([float(size) for size in sizes])
    heights, widths = (ratios * scales).flatten(), (scales / ratios).flatten()
    return (torch.stack([-widths, -heights, widths, heights], dim=1) / 2).round()


def tile_anchors(
    shapes: Float[Tensor, "A 4"], grid: tuple[int, int], stride: tuple[int, int]
) -> Float[Tensor, "N 4"]:
    """Place `shapes` at every cell of a (H, W) `grid`, row by row: (A, 4) -> (H * W * A, 4) in pixels."""
    ys = torch.arange(grid[0], device=shapes.device) * stride[0]
    xs = torch.arange(grid[1], device=shapes.device) * stride[1]
    return _place(shapes, ys, xs)


def pyramid_anchors(
    shapes: list[Float[Tensor, "A 4"]], grids: list[tuple[int, int]], size: tuple[int, int]
) -> list[Float[Tensor, "N 4"]]:
    """Return the anchors of every level: L tensors (H * W * A, 4) in pixels.

    shapes, grids: one per level, as in `tile_anchors`; size: (height, width) of the padded images
    """
    return [
        tile_anchors(shape, grid, (size[0] // grid[0], size[1] // grid[1]))
        for shape, grid in zip(shapes, grids, strict=True)
    ]


# ---------------------------------------------------------------- SSD's default boxes


def default_box_shapes(scale: float, next_scale: float, ratios: tuple[int, ...]) -> Float[Tensor, "A 4"]:
    """Return the default boxes of one cell, centered on the origin.

    Sides are fractions of the image's side, at most 1.
    """
    middle = math.sqrt(scale * next_scale)
    sizes = [(scale, scale), (middle, middle)]
    for ratio in ratios:
        long, short = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
        sizes += [(long, short), (short, long)]
    half = torch.tensor(sizes).clamp(max=1) / 2
    return torch.cat([-half, half], dim=1)


def tile_default_boxes(
    shapes: Float[Tensor, "A 4"], grid: tuple[int, int], cells: tuple[float, float]
) -> Float[Tensor, "N 4"]:
    """Center `shapes` on every cell of a (H, W) `grid`, row by row: (A, 4) -> (H * W * A, 4).

    cells: number of cells that fill the image, vertically and horizontally: the grid's own size, or the
           image's side divided by the step between cells
    """
    device = shapes.device
    ys, xs = ((torch.arange(n, device=device) + 0.5) / count for n, count in zip(grid, cells, strict=True))
    return _place(shapes, ys, xs)


def _place(
    shapes: Float[Tensor, "A 4"], ys: Num[Tensor, " H"], xs: Num[Tensor, " W"]
) -> Float[Tensor, "N 4"]:
    """Shift `shapes` to every (y, x), row by row: (A, 4) -> (H * W * A, 4)."""
    y, x = torch.meshgrid(ys, xs, indexing="ij")
    shifts = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)
    return (shifts + shapes).reshape(-1, 4)
