"""Maps of values per anchor, and the anchors of one cell of each level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from boxmask.explaining.contract import Stage
from boxmask.explaining.inputs import inside, sheet, stride_of
from boxmask.explaining.photo_view import PhotoView, in_photo
from boxmask.pipeline.images import Batch, Size, spatial_size
from boxmask.visualization.heat_maps import append_scale
from boxmask.visualization.legend import append_legend
from boxmask.visualization.style import PALETTE


def anchors_stage(
    view: PhotoView,
    batch: Batch,
    anchors: Sequence[Tensor],
    features: Sequence[Tensor],
    noun: str = "anchors",
) -> Stage:
    """The anchors of the cell in the middle of each level.

    anchors: L x (H * W * A, 4) in pixels of the resized photo
    """
    picture, entries, levels = view.picture, [], []
    for level, (boxes, x) in reversed(list(enumerate(zip(anchors, features, strict=True)))):
        grid = spatial_size(x)
        per_cell = len(boxes) // (grid[0] * grid[1])
        shown = in_photo(boxes.view(*grid, per_cell, 4)[_middle_cell(batch, grid)], batch)
        picture = view.draw(shown, [level] * per_cell, thick=True, on=picture)
        stride = stride_of(batch, grid)
        caption = f"stride {stride}: {grid[1]} × {grid[0]} cells × {per_cell}"
        entries.append((caption, PALETTE[level % len(PALETTE)]))
        level_data = {"stride": stride, "grid": grid, "per_cell": per_cell, "anchors": in_photo(boxes, batch)}
        levels.append(level_data | {"middle": shown})
    total = sum(len(boxes) for boxes in anchors)
    text = (
        f"The network does not search for boxes: it starts from {total:,} fixed ones, the {noun}. "
        "Every cell of every feature map has several of them, of different shapes; coarser maps have larger "
        "ones. The picture shows those of the cell in the middle of each map."
    )
    data = {"levels": levels[::-1]}
    return Stage("anchors", noun.capitalize(), text, append_legend(picture, entries[::-1]), data)


def level_maps(values: Sequence[Tensor], features: Sequence[Tensor]) -> list[Float[np.ndarray, "H W"]]:
    """The highest value in each cell of each level: L x (H * W * A, ...) -> L x (H, W)."""
    maps = []
    for level, x in zip(values, features, strict=True):
        height, width = spatial_size(x)
        cells = level.float().reshape(height, width, -1).amax(dim=2)
        maps.append(cells.numpy(force=True))
    return maps


def maps_stage(
    view: PhotoView,
    batch: Batch,
    maps: Sequence[Float[np.ndarray, "H W"]],
    heading: tuple[str, str],
    text: str,
    key: str,
    center: float = 0.5,
) -> Stage:
    """One heat map per level, all with the same colors.

    heading: name and title of the stage
    key:     name of the values in the data
    center:  of the anchors or points in their cell, in cells; 0: the upper left corner
    """
    strides = [stride_of(batch, (int(x.shape[0]), int(x.shape[1]))) for x in maps]
    highest = max(1e-6, max(float(inside(x, batch).max()) for x in maps))
    pictures = {
        f"stride {stride}: highest {float(inside(x, batch).max()):.2f}": view.heat(
            x, batch, (0.0, highest), center
        )
        for stride, x in zip(strides, maps, strict=True)
    }
    picture = append_scale(sheet(pictures), (0.0, highest))
    levels: list[dict[str, Any]] = [
        {"stride": stride, key: x} for stride, x in zip(strides, maps, strict=True)
    ]
    return Stage(*heading, text, picture, {"levels": levels, "center": center})


def _middle_cell(batch: Batch, grid: Size) -> tuple[int, int]:
    """The cell in the middle of the photo, which is not the middle of the map if there is padding."""
    padded = batch.pixels.shape[-2:]
    row, column = (
        int(side / 2 / whole * count) for side, whole, count in zip(batch.sizes[0], padded, grid, strict=True)
    )
    return min(row, grid[0] - 1), min(column, grid[1] - 1)


def sigmoids(logits: Sequence[Tensor]) -> list[Tensor]:
    """Logits of each level, of a batch of one photo -> its scores."""
    return [torch.sigmoid(level[0].float()) for level in logits]
