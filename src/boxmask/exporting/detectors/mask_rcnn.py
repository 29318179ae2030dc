"""Mask R-CNN as an ONNX graph; see `boxmask.detectors.mask_rcnn`.

image -> features -> proposals (RPN) -> RoI features -> heads -> postprocess -> masks
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.detectors.mask_rcnn import MaskRCNN
from boxmask.exporting.detectors.faster_rcnn import detect, prepare_photos
from boxmask.exporting.detectors.outputs import add_outputs
from boxmask.exporting.graph import Graph
from boxmask.exporting.network import to_onnx
from boxmask.exporting.stages.boxes import rescale
from boxmask.exporting.stages.image import Batch, add_photos
from boxmask.exporting.stages.masks import paste_masks
from boxmask.exporting.stages.postprocess import Found
from boxmask.exporting.stages.roi_features import Regions, align
from boxmask.exporting.values import Value
from boxmask.pipeline.heads.mask import MaskHead


def build(graph: Graph, detector: MaskRCNN) -> None:
    """Add the inputs, the stages and the outputs to a graph."""
    photos = add_photos(graph)
    batch = prepare_photos(photos, detector.boxes)
    found, features = detect(batch, detector.boxes)
    add_outputs(graph, found)
    # masks
    scores, sizes = mask_scores(found, features, batch, detector), batch.original_sizes.gather(found.photo)
    count = graph.where(graph.option("dense_masks", np.bool_(True)), found.boxes.dim(0), 0)
    masks = paste_masks(scores, found.boxes, sizes, photos, (count, detector.config.mask_threshold))
    graph.output("masks", masks, np.bool_, ["objects", "height", "width"])
    graph.output("mask_scores", scores, np.float32, ["objects", "mask height", "mask width"])


def mask_scores(found: Found, features: Sequence[Value], batch: Batch, detector: MaskRCNN) -> Value:
    """The mask branch on the detections after NMS, each in its predicted class only: (N, M, M)."""
    c, graph = detector.config, batch.graph
    sizes, originals = batch.sizes.gather(found.photo), batch.original_sizes.gather(found.photo)
    regions = Regions(rescale(found.boxes, originals, sizes), found.photo)
    grid = (c.mask_pool_size, c.mask_sampling_ratio)
    pooled, rows = align(features, regions, c.strides, c.canonical_size, grid)
    channels = c.channels or detector.boxes.backbone.channels[-1]
    example = torch.zeros(2, channels, c.mask_pool_size, c.mask_pool_size)
    labels = torch.zeros(2, dtype=torch.int64)
    head = to_onnx(MaskBranch(detector.mask_head), (example, labels), ({0: "regions"}, {0: "regions"}))
    [logits] = graph.network(head, pooled, found.labels.gather(rows))
    scores = graph.op("Sigmoid", logits)
    return graph.op("ScatterND", scores, rows.unsqueeze(1), scores)  # in the order of the detections


class MaskBranch(nn.Module):
    """The mask head with its transposed convolution as a fully connected layer, which can be quantized."""

    def __init__(self, head: MaskHead) -> None:
        super().__init__()
        self.convs, self.logits = head.convs, head.logits
        inputs, channels, height, width = head.deconv.weight.shape
        self.deconv = nn.Linear(inputs, height * width * channels)
        self.deconv.weight = nn.Parameter(head.deconv.weight.permute(2, 3, 1, 0).flatten(0, 2).contiguous())
        self.deconv.bias = nn.Parameter(cast(Tensor, head.deconv.bias).repeat(height * width))

    def forward(self, rois: Tensor, labels: Tensor) -> Tensor:
        """See `MaskHead.forward`."""
        hidden = self.convs(rois)
        side, channels = hidden.shape[-1], self.logits.in_channels
        pixels = hidden.permute(0, 2, 3, 1).flatten(0, 2)
        doubled = F.relu(self.deconv(pixels)).view(rois.shape[0], 4 * side * side, channels)
        weight = self.logits.weight.flatten(1)[labels]
        logits = torch.bmm(doubled, weight[:, :, None])[..., 0]
        logits = logits + cast(Tensor, self.logits.bias)[labels, None]
        return logits.view(-1, side, side, 2, 2).permute(0, 1, 3, 2, 4).reshape(-1, 2 * side, 2 * side)
