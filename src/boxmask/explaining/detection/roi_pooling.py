"""RoI pooling: the cells that each region is divided into, and what the second stage sees of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from boxmask.explaining.contract import Stage
from boxmask.explaining.inputs import WIDTH, span
from boxmask.explaining.photo_view import CROP_SIDE, PhotoView
from boxmask.visualization.bars import GAP
from boxmask.visualization.heat_maps import draw_cells
from boxmask.visualization.style import LIGHT, PALETTE, RGBImage, rgb

BORDER = 4  # pixels around a crop in the color of its box


def pooling_stage(
    view: PhotoView,
    cells: Float[np.ndarray, "R 4"],
    pooled: Tensor,
    captions: Sequence[str],
    text: str,
) -> Stage:
    """The cells of some RoIs over the photo, and below it each RoI and its pooled features.

    cells:  (R, 4) the area that the cells divide, in pixels of the photo
    pooled: (R, C, pool, pool)
    """
    strength = pooled.float().abs().mean(dim=1).numpy(force=True)
    count = pooled.shape[-1]
    picture = view.picture
    for color, area in enumerate(cells):
        picture = view.draw(grid_cells(area, count), [color] * count**2, on=picture)
    picture = view.draw(cells, list(range(len(cells))), thick=True, on=picture)
    pairs = [
        _frame(np.concatenate([view.crop(area), draw_cells(values, CROP_SIDE, span(values))], axis=1), color)
        for color, (area, values) in enumerate(zip(cells, strength, strict=True))
    ]
    data = {"cells": cells, "pooled_strength": strength, "captions": list(captions)}
    title = "RoI pooling"
    return Stage("roi-pooling", title, text, _stack(picture, pairs), data)


def grid_cells(area: Float[np.ndarray, " 4"], count: int) -> Float[np.ndarray, "N 4"]:
    """The cells of an area, `count` along each side."""
    x, y = (np.linspace(area[axis], area[axis + 2], count + 1) for axis in (0, 1))
    left, top = np.meshgrid(x[:-1], y[:-1])
    right, bottom = np.meshgrid(x[1:], y[1:])
    return np.stack([left, top, right, bottom], axis=-1).reshape(-1, 4)


def _frame(picture: RGBImage, color: int) -> RGBImage:
    """A border in the color of a number."""
    height, width = picture.shape[:2]
    framed = np.empty((height + 2 * BORDER, width + 2 * BORDER, 3), np.uint8)
    framed[:] = rgb(PALETTE[color % len(PALETTE)])
    framed[BORDER:-BORDER, BORDER:-BORDER] = picture
    return framed


def _stack(picture: RGBImage, small: Sequence[RGBImage]) -> RGBImage:
    """The picture above rows of small ones, on white."""
    width = max(picture.shape[1], WIDTH // 2)
    per_row = max(1, (width - GAP) // (small[0].shape[1] + GAP)) if small else 1
    row_height = small[0].shape[0] + GAP if small else 0
    rows = -(-len(small) // per_row)
    canvas = Image.new("RGB", (width, picture.shape[0] + rows * row_height + GAP), LIGHT)
    canvas.paste(Image.fromarray(picture), ((width - picture.shape[1]) // 2, 0))
    for index, each in enumerate(small):
        row, column = divmod(index, per_row)
        corner = (GAP + column * (each.shape[1] + GAP), picture.shape[0] + GAP + row * row_height)
        canvas.paste(Image.fromarray(each), corner)
    return np.array(canvas)
