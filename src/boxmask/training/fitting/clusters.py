"""Anchor sizes and aspect ratios by k-means over the training objects.

As in YOLOv2 (Redmon and Farhadi 2017, arXiv:1612.08242, section 2, "Dimension Clusters"), the distance
between an object and an anchor is 1 - IoU of their shapes. Unlike there, every level keeps sizes that suit
its stride, and all levels share their aspect ratios.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from boxmask.training.fitting.limits import NUM_ROUNDS

Rows = tuple[tuple[float, ...], ...]

ROOM = math.sqrt(2)
"""A size moves from the preset's by at most this factor, so that it keeps suiting the stride of its level."""
ROOM_AT_THE_ENDS = 2.0
"""The smallest and the largest size may move farther away from the others."""

MIN_RATIO_STEP = 1.25
"""Aspect ratios nearer to each other than this factor would be almost the same anchor."""


def cluster_sizes(shapes: Float[np.ndarray, "N 2"], rows: Rows, ratios: tuple[float, ...]) -> Rows:
    """Move the sizes of each level to the objects: k-means that starts from `rows`.

    A size without objects stays. The order of the sizes stays as well.

    shapes: (N, 2) width and height of the objects
    rows:   the sizes of each level; ratios: height / width of the anchors of each size
    """
    start = np.array([size for row in rows for size in row], dtype=np.float64)
    low, high = start / ROOM, start * ROOM
    low[0], high[-1] = start[0] / ROOM_AT_THE_ENDS, start[-1] * ROOM_AT_THE_ENDS
    sides, sizes = np.sqrt(shapes.prod(axis=1)), start
    for _ in range(NUM_ROUNDS):
        nearest = _shape_ious(shapes, sizes, ratios).argmax(axis=1)
        moved = [
            np.median(sides[nearest == index]) if (nearest == index).any() else size
            for index, size in enumerate(sizes)
        ]
        moved_sizes = np.sort(np.clip(moved, low, high))
        if np.allclose(moved_sizes, sizes):
            break
        sizes = moved_sizes
    flat = iter(sizes.tolist())
    return tuple(tuple(next(flat) for _ in row) for row in rows)


def typical_ratios(shapes: Float[np.ndarray, "N 2"]) -> tuple[float, float, float]:
    """Three ratios of height to width: the median, and the medians of the flat and the tall objects."""
    ratios = np.log(shapes[:, 1] / shapes[:, 0])
    flat, middle, tall = np.quantile(ratios, [1 / 6, 1 / 2, 5 / 6])
    step = math.log(MIN_RATIO_STEP)
    spread = (min(flat, middle - step), middle, max(tall, middle + step))
    first, second, third = (float(f"{math.exp(value):.3g}") for value in spread)  # never 0
    return first, second, third


def _shape_ious(
    shapes: Float[np.ndarray, "N 2"], sizes: Float[np.ndarray, " S"], ratios: tuple[float, ...]
) -> Float[np.ndarray, "N S"]:
    """The highest IoU of each object with the anchors of each size, all around the same center."""
    best = np.zeros((len(shapes), len(sizes)))
    areas = shapes.prod(axis=1)[:, None]
    for ratio in ratios:
        widths, heights = sizes / math.sqrt(ratio), sizes * math.sqrt(ratio)
        shared = np.minimum(shapes[:, :1], widths) * np.minimum(shapes[:, 1:], heights)
        best = np.maximum(best, shared / (areas + sizes**2 - shared))
    return best
