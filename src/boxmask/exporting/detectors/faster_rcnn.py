"""Faster R-CNN as an ONNX graph; see `boxmask.detectors.faster_rcnn`.

image -> features -> proposals (RPN) -> RoI features -> heads -> postprocess
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.exporting.detectors.outputs import add_outputs
from boxmask.exporting.graph import Graph
from boxmask.exporting.network import to_onnx
from boxmask.exporting.stages.image import Batch, Photos, add_photos, normalization, prepare
from boxmask.exporting.stages.postprocess import Found, RegionOutputs, region_detections
from boxmask.exporting.stages.proposals import LevelOutputs, grid_of, rpn_proposals
from boxmask.exporting.stages.roi_features import Regions, RoiFeatures, align, roi_max_pool
from boxmask.exporting.values import Value
from boxmask.pipeline.heads.box import BoxHead


def build(graph: Graph, detector: FasterRCNN) -> None:
    """Add the inputs, the stages and the outputs to a graph."""
    batch = prepare_photos(add_photos(graph), detector)
    found, _ = detect(batch, detector)
    add_outputs(graph, found)


def prepare_photos(photos: Photos, detector: FasterRCNN) -> Batch:
    """The stage `image`."""
    c = detector.config
    sides = (c.shorter_side, c.longer_side)
    return prepare(photos, sides, normalization(detector.backbone), c.multiple_of, c.antialias)


def detect(batch: Batch, detector: FasterRCNN) -> tuple[Found, list[Value]]:
    """The stages from the features on: the objects, and the features, which Mask R-CNN reads again."""
    c, graph = detector.config, batch.graph
    # features, and the head of the RPN
    side, levels = 3 * c.multiple_of, len(c.anchor_sizes)
    axes = {0: "batch", 2: "height", 3: "width"}
    outputs = graph.network(to_onnx(detector, (torch.zeros(2, 3, side, side),), (axes,)), batch.pixels)
    features, logits, deltas = outputs[: -2 * levels], outputs[-2 * levels : -levels], outputs[-levels:]
    # proposals
    grids = [grid_of(feature) for feature in features[:levels]]
    rpn = [LevelOutputs(*level) for level in zip(logits, deltas, grids, strict=True)]
    proposals = rpn_proposals(rpn, batch, c)
    # RoI features
    regions = pool(features, Regions(proposals.boxes, proposals.photo), c)
    # heads
    channels = c.channels or detector.backbone.channels[-1]
    scores, box_deltas = box_head(detector.box_head, regions.features, (channels, c.pool_size))
    # postprocess
    outputs_of_regions = RegionOutputs(scores, box_deltas, regions.rows)
    return region_detections(outputs_of_regions, proposals, batch, c, c.delta_weights), features


def pool(features: Sequence[Value], regions: Regions, config: FasterRCNNConfig) -> RoiFeatures:
    """Pool each proposal to a map of fixed size."""
    c = config
    if c.roi_max_pool:
        return roi_max_pool(features[0], regions, 1 / c.strides[0], c.pool_size)
    return align(features, regions, c.strides, c.canonical_size, (c.pool_size, c.sampling_ratio))


def box_head(head: BoxHead, features: Value, shape: tuple[int, int]) -> tuple[Value, Value]:
    """RoI features -> scores (R, K) without the background, and deltas (R, K, 4).

    shape: channels and side of the RoI features
    """
    graph, example = features.graph, torch.zeros(2, shape[0], shape[1], shape[1])
    logits, deltas = graph.network(to_onnx(head, (example,), ({0: "regions"},)), features)
    return graph.op("Softmax", logits, axis=1).slice(1, 0, -1), deltas
