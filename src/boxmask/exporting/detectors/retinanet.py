"""RetinaNet as an ONNX graph; see `boxmask.detectors.retinanet`.

image -> features -> heads -> postprocess
"""

from __future__ import annotations

from boxmask.detectors.retinanet import RetinaNet
from boxmask.exporting.detectors.outputs import add_outputs
from boxmask.exporting.graph import Graph
from boxmask.exporting.stages.boxes import decode
from boxmask.exporting.stages.dense import at_rows, dense_outputs, top_scores
from boxmask.exporting.stages.image import add_photos, normalization, prepare
from boxmask.exporting.stages.nms import NO_BOX
from boxmask.exporting.stages.postprocess import Candidates, merge_levels
from boxmask.exporting.stages.proposals import anchors_at, grid_of
from boxmask.geometry.boxes import anchor_shapes
from boxmask.pipeline.heads.dense import logit


def build(graph: Graph, detector: RetinaNet) -> None:
    """Add the inputs, the stages and the outputs to a graph."""
    c = detector.config
    # image
    sides = (c.shorter_side, c.longer_side)
    batch = prepare(add_photos(graph), sides, normalization(detector.backbone), c.multiple_of, c.antialias)
    # features and heads
    features, class_logits, deltas = dense_outputs(batch, detector, heads=2)
    # postprocess
    levels = []
    for feature, logits, delta, sizes in zip(features, class_logits, deltas, c.anchor_sizes, strict=True):
        top = top_scores(logits, c.pre_nms_top_k, len(c.class_names))
        shapes = anchor_shapes(sizes, c.aspect_ratios).numpy()
        anchors = anchors_at(shapes, top.rows, grid_of(feature), batch.pixels)
        counts = top.scores > logit(c.score_threshold)
        scores = graph.where(counts, graph.op("Sigmoid", top.scores), NO_BOX)
        levels.append(Candidates(decode(anchors, at_rows(delta, top.rows)), scores, top.labels))
    add_outputs(graph, merge_levels(levels, batch, c))
