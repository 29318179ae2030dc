"""FCN, U-Net and DeepLabv3 as ONNX graphs; see `boxmask.pipeline.segmentation.inference`.

image -> network -> label map

Photos run one at a time, so that the label map of a photo depends on that photo alone.
"""

from __future__ import annotations

import numpy as np
import torch

from boxmask.exporting.graph import Graph
from boxmask.exporting.network import to_onnx
from boxmask.exporting.segmenters.tiles import tiled_label_map
from boxmask.exporting.stages.image import Photos, add_photos, normalization, photo_of, prepare
from boxmask.exporting.values import Value
from boxmask.pipeline.segmentation.inference import MAX_LOGITS
from boxmask.segmenters.contract import Segmenter


def build(graph: Graph, segmenter: Segmenter) -> None:
    """Add the inputs, the stages and the output."""
    c = segmenter.config
    photos = add_photos(graph)
    height, width = photos.photos.dim(1), photos.photos.dim(2)

    def label_photo(index: Value) -> list[Value]:
        size = photos.sizes.gather(index)
        if c.tile:
            labels = tiled_label_map(photo_of(photos, index), segmenter)
        else:
            labels = label_map(photo_logits(photos, index, segmenter), size, len(c.class_names))
        pads = graph.shape(0, 0, height - size.gather(0), width - size.gather(1))
        return [graph.op("Pad", labels, pads)]

    [label_maps] = graph.loop(photos.sizes.dim(0), label_photo)
    graph.output("label_map", label_maps, np.uint8, ["batch", "height", "width"])


def photo_logits(photos: Photos, index: Value, segmenter: Segmenter) -> Value:
    """The logits (K, h, w) of one photo, without the padding."""
    c, graph = segmenter.config, index.graph
    alone = Photos(photos.photos.gather(index.reshape(1)), photos.sizes.gather(index.reshape(1)))
    sides = (c.shorter_side, c.longer_side)
    batch = prepare(alone, sides, normalization(segmenter.backbone), c.multiple_of, c.antialias)
    side, axes = 3 * c.multiple_of, {0: "batch", 2: "height", 3: "width"}
    network = to_onnx(segmenter, (torch.zeros(2, 3, side, side),), (axes,))
    logits = graph.network(network, batch.pixels)[0].squeeze(0)
    size = batch.sizes.gather(0)
    return logits.slice(1, 0, size.gather(0)).slice(2, 0, size.gather(1))


def label_map(logits: Value, size: Value, num_classes: int) -> Value:
    """The class with the highest logit after bilinear interpolation to `size`: (H, W) uint8.

    Works on a few rows at a time: all logits at the size of a large photo could take gigabytes.
    """
    graph, height, width = logits.graph, size.gather(0), size.gather(1)
    rows_at_once = (graph.value(MAX_LOGITS) // (width * num_classes)).maximum(1).minimum(height)
    strips = (height + rows_at_once - 1) // rows_at_once

    def label_strip(index: Value) -> list[Value]:
        rows = (graph.arange(rows_at_once) + index * rows_at_once).minimum(height - 1)
        lines = interpolate_rows(logits, rows, height).unsqueeze(0)
        sizes = graph.shape(1, num_classes, rows_at_once, width)
        strip = graph.op("Resize", lines, None, None, sizes, mode="linear").squeeze(0)
        return [graph.op("ArgMax", strip, axis=0, keepdims=0).cast(np.uint8)]

    [labels] = graph.loop(strips, label_strip)
    return labels.reshape(strips * rows_at_once, width).slice(0, 0, height)


def interpolate_rows(logits: Value, rows: Value, height: Value) -> Value:
    """Some rows of a map (K, h, w) interpolated to `height` rows: (K, n, w)."""
    graph, last = logits.graph, logits.dim(1) - 1
    scaled = (rows.cast(np.float32) + 0.5) * logits.dim(1).cast(np.float32) / height.cast(np.float32)
    positions = (scaled - 0.5).maximum(0.0).minimum(last.cast(np.float32))
    above = graph.op("Floor", positions)
    fraction, index = (positions - above).unsqueeze(1), above.cast(np.int64)
    upper = logits.gather(index, axis=1)
    return upper + fraction * (logits.gather((index + 1).minimum(last), axis=1) - upper)
