"""FCOS as an ONNX graph; see `boxmask.detectors.fcos`.

image -> features -> heads -> postprocess
"""

from __future__ import annotations

import numpy as np

from boxmask.detectors.fcos import FCOS
from boxmask.exporting.detectors.outputs import add_outputs
from boxmask.exporting.graph import Graph
from boxmask.exporting.stages.boxes import cell_shifts
from boxmask.exporting.stages.dense import TopScores, at_rows, dense_outputs, top_scores
from boxmask.exporting.stages.image import Batch, add_photos, normalization, prepare
from boxmask.exporting.stages.nms import NO_BOX
from boxmask.exporting.stages.postprocess import Candidates, merge_levels
from boxmask.exporting.stages.proposals import grid_of
from boxmask.exporting.values import Value


def build(graph: Graph, detector: FCOS) -> None:
    """Add the inputs, the stages and the outputs to a graph."""
    c = detector.config
    # image
    sides = (c.shorter_side, c.longer_side)
    batch = prepare(add_photos(graph), sides, normalization(detector.backbone), c.multiple_of, c.antialias)
    # features and heads
    outputs = dense_outputs(batch, detector, heads=3)
    # postprocess
    levels = []
    for (feature, logits, distances, center), stride in zip(
        zip(*outputs, strict=True), detector.strides, strict=True
    ):
        scores = graph.op("Sqrt", graph.op("Sigmoid", logits) * graph.op("Sigmoid", center))
        top = top_scores(scores, c.pre_nms_top_k, len(c.class_names))
        in_pixels = at_rows(distances, top.rows) * float(stride)
        boxes = points_at(top, grid_of(feature), batch, c.point_offset) + in_pixels * SIGNS
        kept = graph.where(top.scores > float(c.score_threshold), top.scores, NO_BOX)
        levels.append(Candidates(boxes, kept, top.labels))
    add_outputs(graph, merge_levels(levels, batch, c))


SIGNS = np.array([-1, -1, 1, 1], dtype=np.float32)  # of the distances to the left, top, right and bottom


def points_at(top: TopScores, grid: tuple[Value, Value], batch: Batch, offset: float) -> Value:
    """The points of a level, twice: (B, n, 4), x, y, x, y."""
    graph = batch.graph
    step_y, step_x = batch.pixels.dim(2) // grid[0], batch.pixels.dim(3) // grid[1]
    shift = graph.concat([step.reshape(1) for step in (step_x, step_y, step_x, step_y)])
    corners = cell_shifts(graph, top.rows, grid[1], (step_y, step_x))
    return corners + shift.cast(np.float32) * float(offset)
