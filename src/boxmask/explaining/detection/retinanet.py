"""RetinaNet (arXiv:1708.02002): features, anchors, class scores, boxes, NMS."""

from __future__ import annotations

from boxmask.detectors.retinanet import RetinaNet
from boxmask.explaining.contract import Stage
from boxmask.explaining.detection.anchors import anchors_stage, level_maps, maps_stage, sigmoids
from boxmask.explaining.detection.faster_rcnn import AT_CORNER
from boxmask.explaining.detection.results import detections_stage, nms_stage
from boxmask.explaining.detection.suppression import explain_nms
from boxmask.explaining.detection.winners import Cells, per_row, stacked, winners_stage
from boxmask.explaining.inputs import features_stage, image_stage, stride_of
from boxmask.explaining.photo_view import PhotoView, in_photo
from boxmask.geometry.boxes import clip, decode
from boxmask.pipeline.images import spatial_size
from boxmask.types import Detections

FEATURES_TEXT = "The CNN runs once over the photo. Fine maps show small details, coarse maps large shapes."
SCORES_TEXT = (
    "Every anchor gets a score for each class at once; there is no second stage. The pictures show the "
    "highest score of each cell, over its anchors and the classes. Small objects score on fine maps, large "
    "ones on coarse maps."
)
WINNERS_TEXT = (
    "The anchors with a score become boxes: the network predicts how the edges of each have to move. The "
    "picture shows the anchors behind the first detections (thin) and their boxes (thick)."
)


def explain_retinanet(model: RetinaNet, view: PhotoView) -> tuple[list[Stage], Detections]:
    """The stages of RetinaNet, and its detections."""
    batch = model.prepare([view.image])
    features = model.features(batch.pixels)
    logits, deltas = model.heads(features)
    anchors = model.anchors(features, batch)
    nms = explain_nms(model, lambda copy: copy.postprocess(logits, deltas, anchors, batch)[0])
    scores, strides = sigmoids(logits), [stride_of(batch, spatial_size(x)) for x in features]
    boxes = clip(decode(stacked(anchors), stacked([x[0] for x in deltas])), batch.sizes[0])
    cells = Cells(
        in_photo(stacked(anchors), batch),
        stacked(scores).numpy(force=True),
        in_photo(boxes, batch),
        per_row(strides, anchors),
    )
    [detections] = model.postprocess(logits, deltas, anchors, batch)
    heading = ("scores", "Class scores per level")
    return [
        image_stage(batch, model.backbone),
        features_stage(view, batch, features, FEATURES_TEXT),
        anchors_stage(view, batch, anchors, features),
        maps_stage(view, batch, level_maps(scores, features), heading, SCORES_TEXT, "scores", AT_CORNER),
        winners_stage(view, cells, nms.winners, "Anchors become boxes", WINNERS_TEXT),
        nms_stage(view, nms, model.config),
        detections_stage(view, detections),
    ], detections
