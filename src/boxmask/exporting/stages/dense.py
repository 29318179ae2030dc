"""One-stage detectors: the network with its heads, and the choice of the top scores to decode.

See `boxmask.pipeline.heads.dense`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from boxmask.exporting.network import to_onnx
from boxmask.exporting.stages.image import Batch
from boxmask.exporting.values import Value


class _Network(nn.Module):
    """The features, whose shapes are needed, and what the heads compute from them."""

    def __init__(self, detector: Any) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, pixels: Tensor) -> tuple[Any, ...]:
        features = self.detector.features(pixels)
        return (features, *self.detector.heads(features))


def dense_outputs(batch: Batch, detector: Any, heads: int) -> list[list[Value]]:
    """The features, and the outputs of each of the heads: heads + 1 lists with one map per level."""
    side = 3 * detector.config.multiple_of
    example, axes = torch.zeros(2, 3, side, side), {0: "batch", 2: "height", 3: "width"}
    outputs = batch.graph.network(to_onnx(_Network(detector), (example,), (axes,)), batch.pixels)
    levels = len(outputs) // (heads + 1)
    return [outputs[start : start + levels] for start in range(0, len(outputs), levels)]


class TopScores(NamedTuple):
    """The top scores of a level of each photo, with their rows (anchors) and labels, (B, n) each."""

    scores: Value
    rows: Value
    labels: Value


def top_scores(scores: Value, k: int, num_classes: int) -> TopScores:
    """The k highest of scores or logits (B, N, K) of each photo, highest first."""
    graph = scores.graph
    flat = scores.reshape(scores.dim(0), scores.dim(1) * num_classes)
    top, index = graph.top_k(flat, graph.value(k))
    return TopScores(top, index // num_classes, index % num_classes)


def at_rows(values: Value, rows: Value) -> Value:
    """Values (B, N, n) at rows (B, m): (B, m, n)."""
    return values.graph.op("GatherND", values, rows.unsqueeze(-1), batch_dims=1)
