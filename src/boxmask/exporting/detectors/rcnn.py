"""R-CNN as an ONNX graph; see `boxmask.detectors.rcnn`.

image -> proposals (inputs) -> warped regions -> features -> heads -> postprocess
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from boxmask.detectors.rcnn import RCNN
from boxmask.exporting.detectors.outputs import add_outputs
from boxmask.exporting.graph import Graph
from boxmask.exporting.network import to_onnx
from boxmask.exporting.stages.given_proposals import add_proposals
from boxmask.exporting.stages.image import Batch, add_photos, normalization, prepare
from boxmask.exporting.stages.postprocess import RegionOutputs, region_detections
from boxmask.exporting.stages.proposals import Proposals
from boxmask.exporting.values import Value


class _Network(nn.Module):
    """Warped regions -> scores of the SVMs and deltas of the box regressors."""

    def __init__(self, detector: RCNN) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, regions: Tensor) -> tuple[Tensor, Tensor]:
        pool5, fc7 = self.detector(regions)
        return self.detector.scores(fc7), self.detector.deltas(pool5)


def build(graph: Graph, detector: RCNN) -> None:
    """Add the inputs, the stages and the outputs to a graph."""
    c = detector.config
    # image
    sides = (c.shorter_side, c.longer_side)
    batch = prepare(add_photos(graph), sides, normalization(detector.backbone), c.multiple_of, c.antialias)
    # proposals
    proposals = add_proposals(batch)
    # warped regions, features and heads
    outputs = score_regions(batch, proposals, detector)
    # postprocess
    found = region_detections(outputs, proposals, batch, c, pre_nms_top_k=c.pre_nms_top_k)
    add_outputs(graph, found)


def score_regions(batch: Batch, proposals: Proposals, detector: RCNN) -> RegionOutputs:
    """The network on some regions at a time; the last part is filled with copies of the last region."""
    c, graph = detector.config, batch.graph
    total, num_classes = proposals.boxes.dim(0), len(c.class_names)
    framed = graph.op("Pad", batch.pixels, np.array([0, 0, 1, 1, 0, 0, 1, 1]))
    boxes = with_context(proposals.boxes, c.region_size, c.context) + 1.0
    per_pass = total.minimum(c.region_batch_size)
    example = torch.zeros(2, 3, c.region_size, c.region_size)

    def score(index: Value) -> list[Value]:
        rows = (graph.arange(per_pass) + index * per_pass).minimum(total - 1)
        regions = warp(framed, boxes.gather(rows), proposals.photo.gather(rows), c.region_size)
        return graph.network(to_onnx(_Network(detector), (example,), ({0: "regions"},)), regions)

    passes = ((total + per_pass - 1) // per_pass.maximum(1)).maximum(0)
    scores, deltas = graph.loop(passes, score)
    rows = graph.arange(total)
    scores = scores.reshape(passes * per_pass, num_classes).gather(rows)
    deltas = deltas.reshape(passes * per_pass, num_classes, 4).gather(rows)
    return RegionOutputs(scores, deltas, rows)


def with_context(boxes: Value, side: int, context: int) -> Value:
    """Enlarge boxes (P, 4); see `boxmask.pipeline.warp.with_context`."""
    low, high = boxes.slice(1, 0, 2), boxes.slice(1, 2, 4)
    margins = (high - low) * float(context) / float(side - 2 * context)
    return boxes.graph.concat([low - margins, high + margins], axis=1)


def warp(framed: Value, boxes: Value, photo: Value, side: int) -> Value:
    """RoIAlign with a sample per pixel, from photos with a frame of zeros, which it repeats outside."""
    return framed.graph.op(
        "RoiAlign",
        framed,
        boxes,
        photo,
        coordinate_transformation_mode="half_pixel",
        output_height=side,
        output_width=side,
        sampling_ratio=0,
    )
