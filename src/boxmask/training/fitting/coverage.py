"""How well anchors cover objects: the highest IoU of each object with any anchor in its photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from boxmask.geometry.boxes import anchor_shapes, default_box_shapes
from boxmask.pipeline.images import Size


@dataclass(frozen=True)
class AnchorLevel:
    """The anchors of one level: the same shapes around every point of a grid.

    shapes: (A, 2) width and height of each, in pixels
    step:   pixels between points
    first:  pixels from the photo's edge to the first point
    """

    shapes: Float[np.ndarray, "A 2"]
    step: float
    first: float


def pyramid_levels(config: Any) -> list[AnchorLevel]:
    """The anchors of a config with `anchor_sizes`."""
    strides = [config.strides[0] * 2**level for level in range(len(config.anchor_sizes))]
    shapes = [anchor_shapes(sizes, config.aspect_ratios).numpy() for sizes in config.anchor_sizes]
    return [
        AnchorLevel((shape[:, 2:] - shape[:, :2]).astype(np.float64), stride, 0.0)
        for shape, stride in zip(shapes, strides, strict=True)
    ]


def default_box_levels(config: Any) -> list[AnchorLevel]:
    """The default boxes of SSD's config."""
    levels, side = [], config.shorter_side
    for level, cells in enumerate(map_cells(config)):
        shapes = default_box_shapes(
            config.scales[level], config.scales[level + 1], config.aspect_ratios[level]
        )
        step = side / cells
        levels.append(AnchorLevel((shapes[:, 2:] - shapes[:, :2]).numpy() * side, step, step / 2))
    return levels


def map_cells(config: Any) -> list[int]:
    """The cells per side of each of SSD's maps."""
    cells = [-(-config.shorter_side // stride) for stride in config.strides]
    for _, kernel, stride, padding in config.extra_layers:
        cells.append((cells[-1] + 2 * padding - kernel) // stride + 1)
    return cells


def grids(sizes: list[Size], levels: list[AnchorLevel], multiple_of: int) -> Int[np.ndarray, "L P 2"]:
    """(rows, columns) of each level's grid over each photo, padding included."""
    padded = -(-np.array(sizes, dtype=np.int64).reshape(-1, 2) // multiple_of) * multiple_of
    return np.stack([np.ceil(padded / level.step - 1e-6).astype(np.int64) for level in levels])


def best_ious(
    boxes: Float[np.ndarray, "N 4"],
    photos: Int[np.ndarray, " N"],
    levels: list[AnchorLevel],
    grids: Int[np.ndarray, "L P 2"],
) -> Float[np.ndarray, " N"]:
    """The highest IoU of each box with any anchor of its photo: (N, 4) -> (N,).

    Of the anchors of one shape, the one whose center is nearest along both axes overlaps a box most. So one
    anchor per level and shape is enough.

    photos: (N,) the photo of each box, an index of the grids' second axis
    """
    best = np.zeros(len(boxes))
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    for level, grid in zip(levels, grids, strict=True):
        points = np.rint((centers - level.first) / level.step)
        nearest = np.clip(points, 0, grid[photos][:, ::-1] - 1) * level.step + level.first
        for shape in level.shapes:
            best = np.maximum(best, _ious(boxes, nearest, shape))
    return best


def _ious(
    boxes: Float[np.ndarray, "N 4"], centers: Float[np.ndarray, "N 2"], shape: Float[np.ndarray, " 2"]
) -> Float[np.ndarray, " N"]:
    """The IoU of each box with the anchor of one shape around its center: (N, 4), (N, 2), (2,) -> (N,)."""
    low = np.maximum(boxes[:, :2], centers - shape / 2)
    high = np.minimum(boxes[:, 2:], centers + shape / 2)
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray(shared / (areas + shape.prod() - shared))
