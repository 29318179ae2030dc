"""The stage `proposals` of a Region Proposal Network; see `boxmask.pipeline.heads.rpn`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from boxmask.exporting.graph import Graph
from boxmask.exporting.stages.boxes import cell_shifts, clip, decode, large_enough, limits
from boxmask.exporting.stages.image import Batch
from boxmask.exporting.stages.nms import NO_BOX, keep_best_of_shared
from boxmask.exporting.values import Value
from boxmask.geometry.boxes import anchor_shapes
from boxmask.pipeline.heads.rpn import MIN_PROPOSAL_SIZE


class Proposals(NamedTuple):
    """P boxes of B photos, photo by photo, in pixels of the resized photos.

    boxes:  (P, 4)
    photo:  (P,) index of the photo
    place:  (P,) place among the photo's, from 0
    places: the largest number of a photo, scalar
    """

    boxes: Value
    photo: Value
    place: Value
    places: Value


class LevelOutputs(NamedTuple):
    """What a head gives for one level of a pyramid.

    logits: (B, N); deltas: (B, N, 4); grid: (rows, columns) of the level's map, scalars
    """

    logits: Value
    deltas: Value
    grid: tuple[Value, Value]


def grid_of(feature: Value) -> tuple[Value, Value]:
    """Rows and columns of a map (B, C, H, W)."""
    return feature.dim(2), feature.dim(3)


def anchors_at(shapes: np.ndarray[Any, Any], index: Value, grid: tuple[Value, Value], pixels: Value) -> Value:
    """The anchors of a level at indices (...): (..., 4).

    shapes: (A, 4) anchors of a cell around its corner; pixels: (B, 3, H, W)
    """
    graph, per_cell = index.graph, len(shapes)
    step = (pixels.dim(2) // grid[0], pixels.dim(3) // grid[1])
    shape = graph.value(shapes).gather(index % per_cell)
    return shape + cell_shifts(graph, index // per_cell, grid[1], step)


def rpn_proposals(levels: Sequence[LevelOutputs], batch: Batch, config: Any) -> Proposals:
    """Decode and clip the top anchors of each level, then NMS per level; the best of each photo."""
    graph, (before_nms, after_nms) = batch.graph, config.test_proposals
    shapes = [anchor_shapes(sizes, config.aspect_ratios).numpy() for sizes in config.anchor_sizes]
    all_scores, all_boxes, level_of = [], [], []
    for level, (outputs, shape) in enumerate(zip(levels, shapes, strict=True)):
        logits, top = graph.top_k(outputs.logits, graph.value(before_nms))  # (B, n)
        delta = graph.op("GatherND", outputs.deltas, top.unsqueeze(-1), batch_dims=1)
        all_boxes.append(decode(anchors_at(shape, top, outputs.grid, batch.pixels), delta))
        all_scores.append(logits)
        level_of.append(graph.value(level).expand(top.dim(1)))
    scores = graph.op("Sigmoid", graph.concat(all_scores, axis=1))  # (B, N)
    boxes = clip(graph.concat(all_boxes, axis=1), limits(batch.sizes).unsqueeze(1))
    counts = large_enough(boxes, MIN_PROPOSAL_SIZE)
    if config.proposal_threshold > 0:
        counts = counts & (scores >= float(config.proposal_threshold))
    in_level = graph.concat(level_of).unsqueeze(0).equals(np.arange(len(levels))[:, None])  # (L, N)
    per_level = graph.where(counts.unsqueeze(1) & in_level, scores.unsqueeze(1), NO_BOX)
    return best_proposals(graph, boxes, per_level, config.proposal_nms_iou, after_nms)


def best_proposals(graph: Graph, boxes: Value, scores: Value, nms_iou: float, limit: int) -> Proposals:
    """Boxes (B, N, 4) and scores per level (B, L, N) -> the best proposals of each photo after NMS."""
    kept = keep_best_of_shared(boxes, scores, nms_iou, limit)
    photo, place = kept.rows()
    row = kept.candidates % boxes.dim(1)
    best = graph.op("GatherND", boxes, row.unsqueeze(-1), batch_dims=1)  # (B, n, 4)
    return Proposals(pick(best, photo, place), photo, place, kept.scores.dim(1))


def pick(values: Value, photo: Value, place: Value) -> Value:
    """Values (B, n, ...) at M pairs of photo and place: (M, ...)."""
    pairs = values.graph.concat([photo.unsqueeze(1), place.unsqueeze(1)], axis=1)
    return values.graph.op("GatherND", values, pairs)
