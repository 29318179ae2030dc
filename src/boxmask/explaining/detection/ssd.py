"""SSD (arXiv:1512.02325): features, default boxes, class scores, boxes, NMS."""

from __future__ import annotations

from boxmask.detectors.ssd import SSD
from boxmask.explaining.contract import Stage
from boxmask.explaining.detection.anchors import anchors_stage, level_maps, maps_stage
from boxmask.explaining.detection.regions import split_scores
from boxmask.explaining.detection.results import detections_stage, nms_stage
from boxmask.explaining.detection.suppression import explain_nms
from boxmask.explaining.detection.winners import Cells, per_row, winners_stage
from boxmask.explaining.inputs import features_stage, image_stage, stride_of
from boxmask.explaining.photo_view import PhotoView, in_photo
from boxmask.geometry.boxes import clip, decode
from boxmask.pipeline.images import spatial_size
from boxmask.types import Detections

FEATURES_TEXT = (
    "The photo is squeezed into a square, and the CNN runs once over it. Extra layers add ever coarser maps, "
    "each for larger objects."
)
SCORES_TEXT = (
    "Every default box gets a score for each class and the background at once; there is no second stage. The "
    "pictures show the highest score of each cell, over its default boxes and the classes."
)
WINNERS_TEXT = (
    "The default boxes with a score become boxes: the network predicts how the edges of each have to move. "
    "The picture shows the default boxes behind the first detections (thin) and their boxes (thick)."
)


def explain_ssd(model: SSD, view: PhotoView) -> tuple[list[Stage], Detections]:
    """The stages of SSD, and its detections."""
    batch = model.prepare([view.image])
    features = model.features(batch.pixels)
    logits, deltas = model.head(features)
    boxes = model.default_boxes(features)
    nms = explain_nms(model, lambda copy: copy.postprocess(logits, deltas, boxes, batch)[0])
    grids = [spatial_size(x) for x in features]
    per_cell = [2 + 2 * len(ratios) for ratios in model.config.aspect_ratios]
    counts = [height * width * count for (height, width), count in zip(grids, per_cell, strict=True)]
    scores, strides = split_scores(logits[0]), [stride_of(batch, grid) for grid in grids]
    predicted = clip(decode(boxes, deltas[0].float(), model.config.delta_weights), batch.sizes[0])
    cells = Cells(
        in_photo(boxes, batch),
        scores.numpy(force=True),
        in_photo(predicted, batch),
        per_row(strides, boxes.split(counts)),
    )
    [detections] = model.postprocess(logits, deltas, boxes, batch)
    maps = level_maps(scores.split(counts), features)
    heading = ("scores", "Class scores per level")
    return [
        image_stage(batch, model.backbone),
        features_stage(view, batch, features, FEATURES_TEXT),
        anchors_stage(view, batch, boxes.split(counts), features, "default boxes"),
        maps_stage(view, batch, maps, heading, SCORES_TEXT, "scores"),
        winners_stage(view, cells, nms.winners, "Default boxes become boxes", WINNERS_TEXT),
        nms_stage(view, nms, model.config),
        detections_stage(view, detections),
    ], detections
