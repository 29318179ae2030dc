"""The stage `RoI features`: each region pooled to a map of fixed size; see `pipeline.features.fpn`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from boxmask.exporting.stages.boxes import areas
from boxmask.exporting.values import Value
from boxmask.pipeline.features.fpn import LEVEL_EPSILON

BAND = 64  # pixels
MAX_BANDS, MAX_SIDE = 2**16, 2**22  # more than a photo has


class Regions(NamedTuple):
    """R regions of a batch: boxes (R, 4) in pixels of the resized photos, and the photo (R,) of each."""

    boxes: Value
    photo: Value


class RoiFeatures(NamedTuple):
    """R pooled regions (R, C, h, w), level by level, and the row (R,) of the region of each."""

    features: Value
    rows: Value


def align(
    features: Sequence[Value],
    regions: Regions,
    strides: tuple[int, ...],
    canonical: tuple[int, int],
    grid: tuple[int, int],
) -> RoiFeatures:
    """RoIAlign, each region from the level that suits its size; arguments as in `fpn.align`.

    The result is in the order of the levels, and in that of `reading_order` within each: sorting a few
    numbers per region later costs less than sorting its features.
    """
    graph, order = regions.boxes.graph, reading_order(regions)
    num_levels = int(math.log2(strides[-1] / strides[0])) + 1
    levels = assign_levels(regions.boxes, strides[0], canonical, num_levels).gather(order)
    pooled, rows = [], []
    for level in range(num_levels):
        [place] = graph.nonzero(levels.equals(level), 1)
        row = order.gather(place)
        inputs = (features[level], regions.boxes.gather(row), regions.photo.gather(row))
        pooled.append(roi_align(*inputs, 1 / strides[level], grid))
        rows.append(row)
    return RoiFeatures(graph.concat(pooled), graph.concat(rows))


def reading_order(regions: Regions) -> Value:
    """The rows (R,) of the regions photo by photo, in bands from top to bottom, each from left to right.

    Neighbors read the same parts of the features, which are then in the cache of the CPU. RoIAlign took 2.4
    times as long for regions in random order.
    """
    graph, boxes = regions.boxes.graph, regions.boxes
    corners = (boxes.slice(1, 0, 2) + boxes.slice(1, 2, 4)).cast(np.int64)  # (R, 2), twice the center
    x, y = (corners.gather(axis, axis=1) for axis in range(2))
    bands = regions.photo * MAX_BANDS + y // (2 * BAND)
    _, order = graph.top_k(bands * -MAX_SIDE - x, boxes.dim(0))
    return order


def assign_levels(boxes: Value, finest: int, canonical: tuple[int, int], num_levels: int) -> Value:
    """The level of each box, (R,) int64: equation 1 of FPN as one comparison per level."""
    size, stride = canonical
    first = math.log2(finest / stride) - LEVEL_EPSILON
    lengths = [size * 2 ** (first + level) for level in range(1, num_levels)]
    if not lengths:
        return boxes.dim(0).graph.full(np.int64(0), boxes.dim(0))
    longer = boxes.graph.op("Sqrt", areas(boxes)).unsqueeze(1) >= np.array(lengths, dtype=np.float32)
    return longer.cast(np.int64).reduce("Sum", 1)


def roi_align(feature: Value, boxes: Value, photo: Value, scale: float, grid: tuple[int, int]) -> Value:
    """RoIAlign from one map, not aligned, as in Mask R-CNN's paper: (R, C, size, size)."""
    size, samples = grid
    return feature.graph.op(
        "RoiAlign",
        feature,
        boxes,
        photo,
        coordinate_transformation_mode="output_half_pixel",
        output_height=size,
        output_width=size,
        sampling_ratio=samples,
        spatial_scale=scale,
    )


def roi_max_pool(feature: Value, regions: Regions, scale: float, size: int) -> RoiFeatures:
    """RoI max pooling (Fast R-CNN, section 2.1) from one map."""
    graph = feature.graph
    rois = graph.concat([regions.photo.unsqueeze(1).cast(np.float32), regions.boxes], axis=1)
    pooled = graph.op("MaxRoiPool", feature, rois, pooled_shape=[size, size], spatial_scale=scale)
    return RoiFeatures(pooled, graph.arange(regions.boxes.dim(0)))
