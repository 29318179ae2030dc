"""Fast R-CNN as an ONNX graph; see `boxmask.detectors.fast_rcnn`.

image -> proposals (inputs) -> features -> RoI features -> heads -> postprocess
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from boxmask.detectors.fast_rcnn import FastRCNN
from boxmask.exporting.detectors.faster_rcnn import box_head
from boxmask.exporting.detectors.outputs import add_outputs
from boxmask.exporting.graph import Graph
from boxmask.exporting.network import to_onnx
from boxmask.exporting.stages.given_proposals import add_proposals
from boxmask.exporting.stages.image import add_photos, normalization, prepare
from boxmask.exporting.stages.postprocess import RegionOutputs, region_detections
from boxmask.exporting.stages.roi_features import Regions, roi_max_pool


class _Features(nn.Module):
    """The map that all RoIs share."""

    def __init__(self, detector: FastRCNN) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, pixels: Tensor) -> Tensor:
        return self.detector.features(pixels)


def build(graph: Graph, detector: FastRCNN) -> None:
    """Add the inputs, the stages and the outputs to a graph."""
    c = detector.config
    # image
    sides = (c.shorter_side, c.longer_side)
    batch = prepare(add_photos(graph), sides, normalization(detector.backbone), c.multiple_of, c.antialias)
    # proposals
    proposals = add_proposals(batch)
    # features
    side, axes = 3 * c.multiple_of, {0: "batch", 2: "height", 3: "width"}
    network = to_onnx(_Features(detector), (torch.zeros(2, 3, side, side),), (axes,))
    [features] = graph.network(network, batch.pixels)
    # RoI features
    pooled = roi_max_pool(features, Regions(proposals.boxes, proposals.photo), 1 / c.stride, c.pool_size)
    # heads
    shape = (detector.backbone.channels[-1], c.pool_size)
    scores, deltas = box_head(detector.box_head, pooled.features, shape)
    deltas = deltas * detector.delta_std.cpu().numpy() + detector.delta_mean.cpu().numpy()
    # postprocess
    add_outputs(graph, region_detections(RegionOutputs(scores, deltas, pooled.rows), proposals, batch, c))
