"""The pixels around single anchors of a pyramid: the input of a 3x3 convolution at these places only."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from boxmask.geometry.boxes import constant
from boxmask.pipeline.images import spatial_size


def neighborhoods_by_level(
    maps: list[Tensor], images: Int[Tensor, " S"], anchors: Int[Tensor, " S"], num_anchors: int
) -> tuple[Float[Tensor, "S 9C"], Int[Tensor, " S"]]:
    """The 3x3 pixels around S anchors, level by level, and the order that gives those of `anchors`."""
    patches, rows = [], []
    for x, level in zip(maps, level_grids(maps, num_anchors), strict=True):
        index = anchors - level.first_anchor
        row = torch.where((index >= 0) & (index < num_anchors * level.height * level.width))[0]
        first = images[row] * level.height * level.width
        patches.append(neighborhoods(pixel_table(x), first, index[row] // num_anchors, level[:2]))
        rows.append(row)
    return torch.cat(patches), torch.cat(rows).argsort()


def neighborhoods_at_once(
    maps: list[Tensor], images: Int[Tensor, " S"], anchors: Int[Tensor, " S"], num_anchors: int
) -> Float[Tensor, "S 9C"]:
    """The 3x3 pixels around S anchors.

    A GPU copies all maps into one table in less time than the host would wait for the rows of each level.
    """
    grids = level_grids(maps, num_anchors)
    first_anchors = constant([grid.first_anchor for grid in grids], anchors)
    level = (anchors[:, None] >= first_anchors).sum(dim=1) - 1
    height, width, first_anchor, first_pixel = constant(grids, anchors)[level].T
    first = first_pixel + images * height * width
    cells = (anchors - first_anchor) // num_anchors
    table = torch.cat([pixel_table(x) for x in maps])
    return neighborhoods(table, first, cells, (height[:, None, None], width[:, None, None]))


class LevelGrid(NamedTuple):
    """The size of a map, its first anchor in an image, and its first pixel in the table of all maps."""

    height: int
    width: int
    first_anchor: int
    first_pixel: int


def level_grids(maps: list[Tensor], num_anchors: int) -> list[LevelGrid]:
    """The grid of each map (B, C, H, W)."""
    grids, cells = [], 0
    for x in maps:
        grids.append(LevelGrid(*spatial_size(x), num_anchors * cells, len(x) * cells))
        cells += x[0, 0].numel()
    return grids


def pixel_table(x: Float[Tensor, "B C H W"]) -> Float[Tensor, "P C"]:
    """The pixels of all images, row by row."""
    return x.permute(0, 2, 3, 1).flatten(0, 2)


def neighborhoods(
    table: Float[Tensor, "P C"],
    first: Int[Tensor, " S"],
    cells: Int[Tensor, " S"],
    size: tuple[int, int] | tuple[Tensor, Tensor],
) -> Float[Tensor, "S 9C"]:
    """The 3x3 pixels around S cells, row by row and zero outside the map: the input of a 3x3 convolution.

    table: pixels of one or more maps
    first: (S,) the row in `table` of the first pixel of the cell's image
    cells: (S,) index of the cell in the H * W map
    size:  (height, width) of the map, or of each cell's map, (S, 1, 1)
    """
    height, width = size
    step = torch.arange(-1, 2, device=cells.device)
    cell = cells[:, None, None]
    rows, columns = cell // width + step[:, None], cell % width + step
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    index = first[:, None, None] + rows * width + columns
    return (F.embedding(index * inside, table) * inside[..., None]).flatten(1)
