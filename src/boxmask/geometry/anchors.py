"""Anchors: the fixed boxes, tiled over a feature map, that a dense head moves and scores."""

import torch
from jaxtyping import Float
from torch import Tensor


def anchor_shapes(sizes: tuple[float, ...], aspect_ratios: tuple[float, ...]) -> Float[Tensor, "A 4"]:
    """Boxes of area size**2 centered on the origin, in pixels: one per size and aspect ratio (h / w).

    Rounded to whole pixels, as py-faster-rcnn's generate_anchors does.
    """
    ratios = torch.tensor(aspect_ratios).sqrt()[:, None]
    scales = torch.tensor([float(size) for size in sizes])
    heights, widths = (ratios * scales).flatten(), (scales / ratios).flatten()
    return (torch.stack([-widths, -heights, widths, heights], dim=1) / 2).round()


def tile(
    shapes: Float[Tensor, "A 4"], grid: tuple[int, int], stride: tuple[int, int]
) -> Float[Tensor, "N 4"]:
    """Put `shapes` at every cell of a (H, W) `grid`, row by row: (A, 4) -> (H * W * A, 4) in pixels."""
    ys = torch.arange(grid[0], device=shapes.device) * stride[0]
    xs = torch.arange(grid[1], device=shapes.device) * stride[1]
    y, x = torch.meshgrid(ys, xs, indexing="ij")
    corners = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)
    return (corners + shapes).reshape(-1, 4)


def pyramid_anchors(
    shapes: list[Float[Tensor, "A 4"]], grids: list[tuple[int, int]], size: tuple[int, int]
) -> list[Float[Tensor, "N 4"]]:
    """The anchors of every level, L x (H * W * A, 4) in pixels.

    shapes, grids: of each level, as in `tile`; size: (height, width) of the padded photos
    """
    return [
        tile(shape, grid, (size[0] // grid[0], size[1] // grid[1]))
        for shape, grid in zip(shapes, grids, strict=True)
    ]
