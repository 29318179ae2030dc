"""Resize a photo in the graph to exactly the levels that PyTorch computes.

PyTorch resizes uint8 photos with weights of 15 bits and rounds to whole levels after the columns, and again
after the rows. ONNX's Resize rounds its weights differently, so that a hundredth of the pixels is off by one
level; that moved boxes by up to 20 pixels and scores by up to 0.1. Here the same weights are computed, and
applied as products of bytes with small matrices, one per block of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from boxmask.exporting.graph import Graph
from boxmask.exporting.values import Value

BLOCK = 8  # new pixels per matrix
MAX_PRECISION, WEIGHT_BITS = 22, 15  # PyTorch's


class AxisWeights(NamedTuple):
    """How one axis is resized.

    starts:  (J,) the first of the w old pixels that each of J blocks of new ones reads
    weights: (J, w, BLOCK) float32, whole numbers below 2^15, in units of 1 / unit
    unit:    scalar int32, a power of two
    """

    starts: Value
    weights: Value
    unit: Value


def resize(graph: Graph, photo: Value, size: Value, antialias: bool) -> Value:
    """Resize a photo (H, W, 3) to `size`, (2,) int64: (h, w, 3), uint8 as the photo."""
    height, width = size.gather(0), size.gather(1)
    columns = axis_weights(graph, photo.dim(1), width, antialias)
    rows = axis_weights(graph, photo.dim(0), height, antialias)
    lines = resize_rows(resize_columns(photo, columns, width), rows, height)
    return lines.reshape(height, width, 3)


def resize_columns(photo: Value, axis: AxisWeights, width: Value) -> Value:
    """(H, W, 3) -> (H, width * 3).

    The channels stay beside each other, because moving single bytes takes longer than multiplying by zeros.
    For the same reason, blocks are cut out one by one.
    """
    old_height, blocks, reach = photo.dim(0), axis.weights.dim(0), axis.weights.dim(1)
    graph, flat = photo.graph, photo.reshape(old_height, photo.dim(1) * 3)
    starts = (axis.starts * 3).unsqueeze(1)  # (J, 1), as Slice takes them: each node in the loop counts
    ends = starts + reach * 3

    def cut(index: Value) -> list[Value]:
        return [graph.op("Slice", flat, starts.gather(index), ends.gather(index), np.array([1]))]

    [lines] = graph.loop(blocks, cut)  # (J, H, w * 3)
    per_channel = axis.weights.unsqueeze(2, 4) * np.eye(3, dtype=np.float32)[:, None]  # (J, w, 3, BLOCK, 3)
    weights = per_channel.reshape(blocks, reach * 3, BLOCK * 3)
    sums = [graph.op("MatMulInteger", lines, part) for part in byte_parts(weights)]
    levels = round_levels(sums, axis.unit)  # (J, H, BLOCK * 3)
    return levels.transpose(1, 0, 2).reshape(old_height, blocks * BLOCK * 3).slice(1, 0, width * 3)


def resize_rows(lines: Value, axis: AxisWeights, height: Value) -> Value:
    """(H, n) -> (height, n)."""
    length, blocks, reach = lines.dim(1), axis.weights.dim(0), axis.weights.dim(1)
    parts = lines.gather(axis.starts.unsqueeze(1) + lines.graph.arange(reach))  # (J, w, n)
    weights = byte_parts(axis.weights.transpose(0, 2, 1))
    levels = round_levels([lines.graph.op("MatMulInteger", part, parts) for part in weights], axis.unit)
    return levels.reshape(blocks * BLOCK, length).slice(0, 0, height)


def byte_parts(weights: Value) -> tuple[Value, Value]:
    """Weights as two of uint8: how often they hold 256, and the rest.

    Both are unsigned: with signed weights, older processors add with saturation.
    """
    high = weights.graph.op("Floor", weights / 256.0)
    return high.cast(np.uint8), (weights - high * 256.0).cast(np.uint8)


def round_levels(sums: Sequence[Value], unit: Value) -> Value:
    """The sums of both parts of the weights -> the nearest whole levels, uint8."""
    high, low = sums
    return ((high * np.int32(256) + low + unit / np.int32(2)) / unit).cast(np.uint8)


def axis_weights(graph: Graph, old: Value, new: Value, antialias: bool) -> AxisWeights:
    """The weights that resize an axis of `old` pixels to `new`, both scalars."""
    blocks = (new + (BLOCK - 1)) // BLOCK
    scale = old.cast(np.float64) / new.cast(np.float64)
    reach = scale.maximum(np.float64(1)) if antialias else graph.value(np.float64(1))
    pixel = graph.arange(blocks * BLOCK).minimum(new - 1).cast(np.float64)
    center = (scale * (pixel + np.float64(0.5))).reshape(-1, 1, BLOCK)
    low = graph.op("Floor", (center - reach + np.float64(0.5)).maximum(np.float64(0)))
    high = graph.op("Floor", center + reach + np.float64(0.5)).minimum(old.cast(np.float64))
    first = low.slice(2, 0, 1)
    span = (high - first).reduce("Max")
    start = first.minimum(old.cast(np.float64) - span)  # so that all blocks read equally many
    source = start + graph.arange(span.cast(np.int64)).cast(np.float64).reshape(1, -1, 1)  # (J, w, 1)
    distance = graph.op("Abs", (source - center + np.float64(0.5)) * (np.float64(1) / reach))
    inside = (source >= low) & (source < high)
    weights = graph.where(inside, (np.float64(1) - distance).maximum(np.float64(0)), np.float64(0))
    weights = weights / weights.reduce("Sum", 1, keep=True)
    unit = weight_unit(weights)
    whole = graph.op("Floor", weights * unit + np.float64(0.5)).cast(np.float32)
    return AxisWeights(start.reshape(-1).cast(np.int64), whole, unit.cast(np.int32))


def weight_unit(weights: Value) -> Value:
    """The largest power of two that keeps the largest weight within PyTorch's bits, a scalar float64."""
    powers = 2.0 ** np.arange(1, MAX_PRECISION + 1)
    fits = weights.reduce("Max") * powers + np.float64(0.5) < np.float64(2**WEIGHT_BITS)
    return weights.graph.where(fits, powers, np.float64(1)).reduce("Max")
