"""FCOS (arXiv:1904.01355): features, class scores, centerness, distances, NMS."""

from __future__ import annotations

import torch
from torch import Tensor

from boxmask.detectors.fcos import FCOS
from boxmask.explaining.contract import Stage
from boxmask.explaining.detection.anchors import level_maps, maps_stage, sigmoids
from boxmask.explaining.detection.results import detections_stage, nms_stage
from boxmask.explaining.detection.retinanet import FEATURES_TEXT
from boxmask.explaining.detection.suppression import Suppression, explain_nms
from boxmask.explaining.detection.winners import Cells, per_row, stacked, winners_stage
from boxmask.explaining.inputs import features_stage, image_stage
from boxmask.explaining.photo_view import PhotoView, in_photo
from boxmask.geometry.boxes import clip
from boxmask.geometry.points import Points, boxes_from_distances
from boxmask.pipeline.images import Batch
from boxmask.types import Detections

CLASS_TEXT = (
    "There are no anchors. Every point of every map gets a score for each class. The pictures show the "
    "highest class score of each point."
)
CENTERNESS_TEXT = (
    "Points near the edge of an object predict poor boxes. The centerness tells how far a point is from the "
    "middle of its object: 1 in the middle, 0 at the edge. Away from objects, it means nothing."
)
SCORES_TEXT = (
    "The score of a point is the root of class score × centerness, so that points in the middle of objects "
    "win."
)
WINNERS_TEXT = (
    "Every point predicts its distances to the left, upper, right and lower edge of its object. The picture "
    "shows the points behind the first detections, with their four distances and their boxes."
)


def explain_fcos(model: FCOS, view: PhotoView) -> tuple[list[Stage], Detections]:
    """The stages of FCOS, and its detections."""
    batch = model.prepare([view.image])
    features = model.features(batch.pixels)
    logits, distances, centerness = model.heads(features)
    points = model.points(features, batch)
    outputs = (logits, distances, centerness, points, batch)
    nms = explain_nms(model, lambda copy: copy.postprocess(*outputs)[0])
    classes, centers = sigmoids(logits), sigmoids(centerness)
    scores = [(c * center).sqrt() for c, center in zip(classes, centers, strict=True)]
    cells = _cells(scores, distances, points, batch, model.strides)
    [detections] = model.postprocess(*outputs)
    return [
        image_stage(batch, model.backbone),
        features_stage(view, batch, features, FEATURES_TEXT),
        *_map_stages(view, batch, features, (classes, centers, scores)),
        *_last_stages(view, cells, nms, model),
        detections_stage(view, detections),
    ], detections


def _map_stages(
    view: PhotoView,
    batch: Batch,
    features: list[Tensor],
    values: tuple[list[Tensor], list[Tensor], list[Tensor]],
) -> list[Stage]:
    """Class scores, centerness and scores of each level."""
    rows = (
        ("class-scores", "Class scores per level", CLASS_TEXT, "class_scores"),
        ("centerness", "Centerness per level", CENTERNESS_TEXT, "centerness"),
        ("scores", "Scores per level", SCORES_TEXT, "scores"),
    )
    return [
        maps_stage(view, batch, level_maps(levels, features), (name, title), text, key)
        for (name, title, text, key), levels in zip(rows, values, strict=True)
    ]


def _last_stages(view: PhotoView, cells: Cells, nms: Suppression, model: FCOS) -> list[Stage]:
    title = "Points predict boxes"
    return [winners_stage(view, cells, nms.winners, title, WINNERS_TEXT), nms_stage(view, nms, model.config)]


def _cells(
    scores: list[Tensor],
    distances: list[Tensor],
    points: list[Points],
    batch: Batch,
    strides: list[int],
) -> Cells:
    """The scores and boxes of all points."""
    xy = stacked([level.points for level in points])
    in_pixels = stacked([x[0] for x in distances]) * stacked([level.strides for level in points])[:, None]
    boxes = clip(boxes_from_distances(xy, in_pixels), batch.sizes[0])
    return Cells(
        in_photo(torch.cat([xy, xy], dim=1), batch),
        stacked(scores).numpy(force=True),
        in_photo(boxes, batch),
        per_row(strides, scores),
    )
