"""SSD as an ONNX graph; see `boxmask.detectors.ssd`.

image -> features -> default boxes -> heads -> postprocess
"""

from __future__ import annotations

import numpy as np
import torch

from boxmask.detectors.ssd import SSD
from boxmask.exporting.detectors.outputs import add_outputs
from boxmask.exporting.graph import Graph
from boxmask.exporting.network import to_onnx
from boxmask.exporting.stages.boxes import decode
from boxmask.exporting.stages.dense import at_rows
from boxmask.exporting.stages.image import add_photos, make_batch, normalization
from boxmask.exporting.stages.nms import NO_BOX
from boxmask.exporting.stages.postprocess import detections_of_class


def build(graph: Graph, detector: SSD) -> None:
    """Add the inputs, the stages and the outputs to a graph."""
    c = detector.config
    # image
    photos, side = add_photos(graph), c.shorter_side
    squares = graph.value(np.array([[side, side]])).expand(photos.sizes.dim(0), 2)
    batch = make_batch(photos, squares, normalization(detector.backbone), 1, c.antialias)
    # features and heads
    example = torch.zeros(2, 3, side, side)
    logits, deltas = graph.network(to_onnx(detector, (example,), ({0: "batch"},)), batch.pixels)
    # default boxes
    with torch.no_grad():
        default_boxes = detector.default_boxes(detector.features(example[:1])).numpy()
    # postprocess
    num_classes, photo_count = len(c.class_names), photos.sizes.dim(0)
    scores = graph.op("Softmax", logits, axis=2).slice(2, 0, -1).transpose(0, 2, 1)  # (B, K, N)
    top, rows = graph.top_k(scores, graph.value(c.pre_nms_top_k))
    top = graph.where(top > float(c.score_threshold), top, NO_BOX)
    deltas = at_rows(deltas, rows.reshape(photo_count, -1)).reshape(photo_count, num_classes, -1, 4)
    boxes = decode(graph.value(default_boxes).gather(rows), deltas, c.delta_weights)
    add_outputs(graph, detections_of_class(boxes, top, batch, c))
