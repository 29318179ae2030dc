"""Boxes in the graph: as `boxmask.geometry.boxes`, for any axes before the last one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from boxmask.exporting.graph import Graph
from boxmask.exporting.values import Value
from boxmask.geometry.boxes import MAX_LOG_SCALE


def decode(anchors: Value, deltas: Value, weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0)) -> Value:
    """Anchors (..., 4) moved by deltas (..., 4)."""
    graph = anchors.graph
    if tuple(weights) != (1.0, 1.0, 1.0, 1.0):
        deltas = deltas / np.array(weights, dtype=np.float32)
    low = anchors.slice(-1, 0, 2)
    anchor_size = anchors.slice(-1, 2, 4) - low
    center = low + anchor_size / 2.0 + deltas.slice(-1, 0, 2) * anchor_size
    size = anchor_size * graph.op("Exp", deltas.slice(-1, 2, 4).minimum(float(MAX_LOG_SCALE)))
    return graph.concat([center - size / 2.0, center + size / 2.0], axis=-1)


def limits(sizes: Value) -> Value:
    """Sizes (..., 2), (height, width) -> (..., 4): width, height, width, height, float32."""
    return sizes.gather(np.array([1, 0, 1, 0]), axis=-1).cast(np.float32)


def clip(boxes: Value, limit: Value) -> Value:
    """Clip boxes to photos; `limit` is that of `limits` and broadcasts to the boxes."""
    return boxes.maximum(0.0).minimum(limit)


def rescale(boxes: Value, source: Value, destination: Value) -> Value:
    """Scale boxes along with their photos, from sizes (..., 2) to sizes (..., 2)."""
    factor = destination.cast(np.float64) / source.cast(np.float64)
    return boxes * factor.gather(np.array([1, 0, 1, 0]), axis=-1).cast(np.float32)


def large_enough(boxes: Value, min_side: float) -> Value:
    """True for boxes (..., 4) whose sides are both at least `min_side` pixels: (...)."""
    return (boxes.slice(-1, 2, 4) - boxes.slice(-1, 0, 2)).reduce("Min", -1) >= float(min_side)


def areas(boxes: Value) -> Value:
    """Width times height, (..., 4) -> (...)."""
    sides = boxes.slice(-1, 2, 4) - boxes.slice(-1, 0, 2)
    return (sides.slice(-1, 0, 1) * sides.slice(-1, 1, 2)).squeeze(-1)


def iou(a: Value, b: Value) -> Value:
    """Intersection over union of boxes whose axes broadcast, (..., 4), (..., 4) -> (...)."""
    low = a.slice(-1, 0, 2).maximum(b.slice(-1, 0, 2))
    sides = (a.slice(-1, 2, 4).minimum(b.slice(-1, 2, 4)) - low).maximum(0.0)
    shared = (sides.slice(-1, 0, 1) * sides.slice(-1, 1, 2)).squeeze(-1)
    return shared / (areas(a) + areas(b) - shared)


def cell_shifts(graph: Graph, cell: Value, columns: Value, step: tuple[Value, Value]) -> Value:
    """The upper left corner of cells, twice: indices (...) -> (..., 4), x, y, x, y.

    columns: number of cells per row, scalar; step: pixels between cells, vertically and horizontally, scalars
    """
    y, x = (cell // columns) * step[0], (cell % columns) * step[1]
    corner = graph.concat([x.unsqueeze(-1), y.unsqueeze(-1)], axis=-1).cast(np.float32)
    return graph.concat([corner, corner], axis=-1)
