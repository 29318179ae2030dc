"""Segmenters that work in tiles, as ONNX graphs; see `boxmask.pipeline.segmentation.tiling`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from boxmask.exporting.graph import Graph
from boxmask.exporting.network import to_onnx
from boxmask.exporting.stages.image import normalization, normalize
from boxmask.exporting.values import Value
from boxmask.pipeline.segmentation.tiling import MIN_WEIGHT
from boxmask.segmenters.contract import Segmenter


class Axis(NamedTuple):
    """The tiles along one axis: their starts (n,) and the side that they have, a scalar."""

    starts: Value
    side: Value


def tiled_label_map(photo: Value, segmenter: Segmenter) -> Value:
    """The label map (H, W) uint8 of a photo (H, W, 3), whose tiles are added where they overlap."""
    c, graph = segmenter.config, photo.graph
    height, width, num_classes = photo.dim(0), photo.dim(1), len(c.class_names)
    down, across = (tiles_along(graph, side, c.tile, c.tile_overlap) for side in (height, width))
    ends = graph.concat([down.starts.slice(0, 1, 2**31), height.reshape(1)])

    def label_row(index: Value, state: list[Value]) -> tuple[list[Value], list[Value]]:
        top = down.starts.gather(index)
        strip = photo.slice(0, top, top + down.side)
        band = add_tiles(state[0], strip, across, down.side, segmenter)
        labels = graph.op("ArgMax", band, axis=0, keepdims=0).cast(np.uint8)  # those of finished rows count
        finished = ends.gather(index) - top
        rest = band.slice(1, finished, down.side)
        return [graph.op("Pad", rest, graph.shape(0, 0, 0, 0, finished, 0))], [labels]

    empty = graph.full(np.float32(0), num_classes, down.side, width)
    _, [labels] = graph.fold(down.starts.dim(0), [empty], label_row)  # (n, side, W)
    rows = graph.arange(height)
    tile = (rows.unsqueeze(1) >= down.starts).cast(np.int64).reduce(
        "Sum", 1
    ) - 1  # the last that starts above
    flat = labels.reshape(down.starts.dim(0) * down.side, width)
    return flat.gather(tile * down.side + rows - down.starts.gather(tile))


def add_tiles(band: Value, strip: Value, across: Axis, height: Value, segmenter: Segmenter) -> Value:
    """Add the weighted scores of a row of tiles to a band (K, h, W) of the photo; the strip is (h, W, 3)."""
    graph, width, multiple = band.graph, strip.dim(1), segmenter.config.multiple_of
    weights = edge_weights(graph, height).unsqueeze(1) * edge_weights(graph, across.side)
    example, axes = torch.zeros(2, 3, 3 * multiple, 3 * multiple), {0: "batch", 2: "height", 3: "width"}

    def add_tile(index: Value, state: list[Value]) -> tuple[list[Value], list[Value]]:
        left = across.starts.gather(index)
        pixels = normalize(strip.slice(1, left, left + across.side), normalization(segmenter.backbone))
        down, right = ((side * (multiple - 1)) % multiple for side in (height, across.side))
        padded = graph.op("Pad", pixels, graph.shape(0, 0, 0, 0, down, right)).unsqueeze(0)
        [logits] = graph.network(to_onnx(segmenter, (example,), (axes,)), padded)
        inside = logits.squeeze(0).slice(1, 0, height).slice(2, 0, across.side)
        scores = graph.op("Softmax", inside, axis=0) * weights
        pads = graph.shape(0, 0, left, 0, 0, width - left - across.side)
        return [state[0] + graph.op("Pad", scores, pads)], []

    [band], _ = graph.fold(across.starts.dim(0), [band], add_tile)
    return band


def tiles_along(graph: Graph, side: Value, tile: int, overlap: float) -> Axis:
    """The tiles along a side; see `tile_starts`."""
    step = max(1, int(tile * (1 - overlap)))
    rest = (side - tile).maximum(0)
    count = (rest + step - 1) // step + 1
    gaps = (count - 1).maximum(1).cast(np.float64)
    exact = (graph.arange(count) * rest).cast(np.float64) / gaps
    return Axis(graph.op("Round", exact).cast(np.int64), side.minimum(tile))


def edge_weights(graph: Graph, side: Value) -> Value:
    """The weight of each pixel along a side of a tile, (side,); see `tile_weights`."""
    pixels = graph.arange(side).cast(np.float32) + 0.5
    wave = graph.op("Sin", pixels * float(np.pi) / side.cast(np.float32))
    return (wave * wave).maximum(float(MIN_WEIGHT))
