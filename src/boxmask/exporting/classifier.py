"""The classifier as an ONNX graph; see `boxmask.classifiers.classifier`.

image -> features -> head
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from boxmask.classifiers.classifier import ImageClassifier
from boxmask.exporting.graph import Graph
from boxmask.exporting.network import to_onnx
from boxmask.exporting.stages.image import add_photos, normalization, prepare
from boxmask.exporting.values import Value


class _Features(nn.Module):
    """The last map of the backbone."""

    def __init__(self, classifier: ImageClassifier) -> None:
        super().__init__()
        self.backbone = classifier.backbone

    def forward(self, pixels: Tensor) -> Tensor:
        maps: list[Tensor] = self.backbone(pixels)
        return maps[-1]


def build(graph: Graph, classifier: ImageClassifier) -> None:
    """Add the inputs, the stages and the output to a graph."""
    c = classifier.config
    # image
    sides = (c.shorter_side, c.longer_side)
    batch = prepare(add_photos(graph), sides, normalization(classifier.backbone), c.multiple_of, c.antialias)
    # features
    example = torch.zeros(2, 3, c.longer_side, c.longer_side)
    network = to_onnx(_Features(classifier), (example,), ({0: "batch"},))
    [features] = graph.network(network, batch.pixels)
    # head
    weight, bias = (x.detach().cpu().numpy() for x in (classifier.logits.weight, classifier.logits.bias))
    logits = pool(features, batch.sizes, c.stride) @ np.ascontiguousarray(weight.T) + bias
    graph.output("scores", graph.op("Softmax", logits, axis=1), np.float32, ["batch", len(c.class_names)])


def pool(features: Value, sizes: Value, stride: int) -> Value:
    """The mean over the cells of (B, C, h, w) that each photo covers, at least in part: (B, C)."""
    graph, covered = features.graph, (sizes + (stride - 1)) // stride  # (B, 2)
    down = graph.arange(features.dim(2)) < covered.slice(1, 0, 1)  # (B, h)
    across = graph.arange(features.dim(3)) < covered.slice(1, 1, 2)
    inside = (down.unsqueeze(2) & across.unsqueeze(1)).cast(np.float32).unsqueeze(1)  # (B, 1, h, w)
    return (features * inside).reduce("Sum", 2, 3) / inside.reduce("Sum", 2, 3)
