"""The stage `postprocess`: decode, clip, drop tiny boxes, NMS per class, keep the top detections, voting.

See `boxmask.pipeline.postprocess`. Candidates lie in a row of equal length per photo and class; those that do
not count have the score NO_BOX.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from boxmask.exporting.stages.boxes import clip, iou, large_enough, limits, rescale
from boxmask.exporting.stages.image import Batch
from boxmask.exporting.stages.nms import NO_BOX, keep_best
from boxmask.exporting.stages.proposals import Proposals, pick
from boxmask.exporting.values import Value
from boxmask.pipeline.postprocess import MIN_DETECTION_SIZE


class Found(NamedTuple):
    """M objects of B photos, photo by photo, highest score first.

    boxes:  (M, 4) in pixels of the photo
    scores, labels, photo: (M,)
    counts: (B,) objects per photo
    """

    boxes: Value
    scores: Value
    labels: Value
    photo: Value
    counts: Value


def per_photo(values: Value, proposals: Proposals, rows: Value, photos: Value) -> Value:
    """Values (R, n) of regions, in the order of `rows`, -> (B, places, n), filled with NO_BOX."""
    graph = values.graph
    slot = (proposals.photo * proposals.places + proposals.place).gather(rows)
    table = graph.full(NO_BOX, photos * proposals.places, values.dim(1))
    filled = graph.op("ScatterND", table, slot.unsqueeze(1), values)
    return filled.reshape(photos, proposals.places, values.dim(1))


def by_class(values: Value, num_classes: int, columns: int) -> Value:
    """Values per region (B, P, K * n) -> per class (B, K, P, n)."""
    split = values.reshape(values.dim(0), values.dim(1), num_classes, columns)
    return split.transpose(0, 2, 1, 3)


def best_detections(
    boxes: Value, scores: Value, batch: Batch, config: Any, min_size: float = MIN_DETECTION_SIZE
) -> Found:
    """Clip, NMS per class, and keep the top ones of each photo.

    boxes:  (B, K, N, 4) decoded, in pixels of the resized photos, or (B, 1, N, 4) if classes share them
    scores: (B, K, N), or NO_BOX
    config: score_threshold has been applied; nms_iou, detections_per_image and voting_iou are read
    """
    graph = boxes.graph
    boxes = clip(boxes, limits(batch.sizes).unsqueeze(1, 2))
    scores = graph.where(large_enough(boxes, min_size), scores, NO_BOX)
    kept = keep_best(boxes, scores, config.nms_iou, config.detections_per_image)
    photo, place = kept.rows()
    index, num_rows = pick(kept.candidates, photo, place), scores.dim(2)
    label, row = index // num_rows, index % num_rows
    own = graph.concat([photo.unsqueeze(1), label.unsqueeze(1)], axis=1)  # (M, 2)
    class_boxes = graph.op("GatherND", boxes.expand(*shape_of(scores), 4), own)  # (M, N, 4)
    kept_boxes = graph.op("GatherND", class_boxes, row.unsqueeze(1), batch_dims=1)
    if voting_iou := getattr(config, "voting_iou", 0.0):
        class_scores = graph.op("GatherND", scores, own)
        kept_boxes = vote(kept_boxes, class_boxes, class_scores, row, voting_iou)
    sizes, originals = batch.sizes.gather(photo), batch.original_sizes.gather(photo)
    in_photo = clip(rescale(kept_boxes, sizes, originals), limits(originals))
    counts = (kept.scores > -0.5).cast(np.int64).reduce("Sum", 1)
    return Found(in_photo, pick(kept.scores, photo, place), label, photo, counts)


def vote(kept: Value, boxes: Value, scores: Value, row: Value, voting_iou: float) -> Value:
    """Box voting: the mean of the boxes of each kept one's class that overlap it, weighted by their scores.

    kept: (M, 4); boxes: (M, N, 4); scores: (M, N), or NO_BOX; row: (M,) of the kept one among the N
    """
    graph = kept.graph
    itself = graph.arange(boxes.dim(1)).equals(row.unsqueeze(1))
    voters = (iou(kept.unsqueeze(1), boxes) >= float(voting_iou)).cast(np.float32)
    voters = voters.maximum(itself.cast(np.float32)) * (scores > -0.5).cast(np.float32)
    weights = voters * scores
    shares = weights / weights.reduce("Sum", 1, keep=True)
    return (shares.unsqueeze(1) @ boxes).squeeze(1)


def shape_of(scores: Value) -> tuple[Value, Value, Value]:
    """The three dimensions of scores (B, K, N)."""
    return scores.dim(0), scores.dim(1), scores.dim(2)
