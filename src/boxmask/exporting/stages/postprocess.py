"""The stage `postprocess`: decode, clip, drop tiny boxes, NMS per class, keep the top detections, voting.

See `boxmask.pipeline.postprocess`. Candidates lie in a row of equal length per photo and class; those that do
not count have the score NO_BOX.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from boxmask.exporting.stages.boxes import clip, decode, iou, large_enough, limits, rescale
from boxmask.exporting.stages.image import Batch
from boxmask.exporting.stages.nms import NO_BOX, Kept, keep_best_of_class, keep_best_of_shared
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


# ---------------------------------------------------------------------- two stages


class RegionOutputs(NamedTuple):
    """What the heads give for R regions.

    scores: (R, K); deltas: (R, K, 4); rows: (R,) the proposal of each
    """

    scores: Value
    deltas: Value
    rows: Value


def region_detections(
    outputs: RegionOutputs,
    proposals: Proposals,
    batch: Batch,
    config: Any,
    delta_weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
    pre_nms_top_k: int = 0,
) -> Found:
    """Per class: decode, clip, threshold and NMS; then keep the top detections.

    pre_nms_top_k: number of regions with the highest scores per class and photo; 0: all
    """
    graph, photos, num_classes = batch.graph, batch.sizes.dim(0), len(config.class_names)
    columns = graph.concat([outputs.scores, outputs.deltas.reshape(-1, 4 * num_classes)], axis=1)
    table = per_photo(columns, proposals, outputs.rows, photos)  # (B, P, K + 4 K)
    scores = table.slice(2, 0, num_classes).transpose(0, 2, 1)  # (B, K, P)
    if pre_nms_top_k:
        lowest = graph.top_k(scores, graph.value(pre_nms_top_k))[0].reduce("Min", -1, keep=True)
        scores = graph.where(scores >= lowest, scores, NO_BOX)
    scores = graph.where(scores > float(config.score_threshold), scores, NO_BOX)
    deltas = table.slice(2, num_classes, 5 * num_classes)
    deltas = deltas.reshape(photos, proposals.places, num_classes, 4).transpose(0, 2, 1, 3)
    all_rows = graph.arange(proposals.boxes.dim(0))
    boxes = per_photo(proposals.boxes, proposals, all_rows, photos).unsqueeze(1)  # (B, 1, P, 4)
    return detections_of_class(decode(boxes, deltas, delta_weights), scores, batch, config)


def per_photo(values: Value, proposals: Proposals, rows: Value, photos: Value) -> Value:
    """Values (R, n) of regions, in the order of `rows`, -> (B, places, n), filled with NO_BOX."""
    graph = values.graph
    slot = (proposals.photo * proposals.places + proposals.place).gather(rows)
    table = graph.full(NO_BOX, photos * proposals.places, values.dim(1))
    filled = graph.op("ScatterND", table, slot.unsqueeze(1), values)
    return filled.reshape(photos, proposals.places, values.dim(1))


def detections_of_class(
    boxes: Value, scores: Value, batch: Batch, config: Any, min_size: float = MIN_DETECTION_SIZE
) -> Found:
    """Clip, NMS per class, keep the top ones of each photo, and box voting.

    boxes:  (B, K, N, 4) decoded, in pixels of the resized photos
    scores: (B, K, N), or NO_BOX
    config: nms_iou, detections_per_image and voting_iou are read
    """
    graph = boxes.graph
    boxes = clip(boxes, limits(batch.sizes).unsqueeze(1, 2))
    scores = graph.where(large_enough(boxes, min_size), scores, NO_BOX)
    kept = keep_best_of_class(boxes, scores, config.nms_iou, config.detections_per_image)
    photo, place = kept.rows()
    candidate, num_rows = pick(kept.candidates, photo, place), scores.dim(2).maximum(1)
    label, row = candidate // num_rows, candidate % num_rows
    own = [photo.unsqueeze(1), label.unsqueeze(1)]
    kept_boxes = graph.op("GatherND", boxes, graph.concat([*own, row.unsqueeze(1)], axis=1))
    if voting_iou := getattr(config, "voting_iou", 0.0):
        of_class = graph.concat(own, axis=1)
        voters = (graph.op("GatherND", boxes, of_class), graph.op("GatherND", scores, of_class))
        kept_boxes = vote(kept_boxes, *voters, row, voting_iou)
    return in_photos(kept_boxes, kept, label, (photo, place), batch)


def in_photos(boxes: Value, kept: Kept, label: Value, rows: tuple[Value, Value], batch: Batch) -> Found:
    """The objects, with boxes (M, 4) in pixels of the photos; rows: photo and place of each."""
    photo, place = rows
    sizes, originals = batch.sizes.gather(photo), batch.original_sizes.gather(photo)
    in_photo = clip(rescale(boxes, sizes, originals), limits(originals))
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


# ---------------------------------------------------------------------- one stage


class Candidates(NamedTuple):
    """The top boxes of one level of each photo.

    boxes: (B, n, 4) in pixels of the resized photos; scores: (B, n), or NO_BOX; labels: (B, n)
    """

    boxes: Value
    scores: Value
    labels: Value


def merge_levels(levels: Sequence[Candidates], batch: Batch, config: Any) -> Found:
    """The detections from the candidates of every level; see `boxmask.pipeline.heads.dense`."""
    graph = batch.graph
    boxes, scores, labels = (graph.concat(list(field), axis=1) for field in zip(*levels, strict=True))
    boxes = clip(boxes, limits(batch.sizes).unsqueeze(1))
    scores = graph.where(large_enough(boxes, config.min_box_size), scores, NO_BOX)
    classes = np.arange(len(config.class_names))[:, None]
    per_class = graph.where(labels.unsqueeze(1).equals(classes), scores.unsqueeze(1), NO_BOX)  # (B, K, N)
    kept = keep_best_of_shared(boxes, per_class, config.nms_iou, config.detections_per_image)
    photo, place = kept.rows()
    candidate, num_rows = pick(kept.candidates, photo, place), scores.dim(1).maximum(1)
    best_boxes = pick(boxes, photo, candidate % num_rows)
    return in_photos(best_boxes, kept, candidate // num_rows, (photo, place), batch)
