"""Fast R-CNN (arXiv:1504.08083): proposals, one feature map, RoI pooling, scores and boxes, NMS."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from torch import Tensor

from boxmask.detectors.fast_rcnn import FastRCNN
from boxmask.explaining.contract import Stage
from boxmask.explaining.detection.regions import Regions, refinement_stage, scores_stage, split_scores
from boxmask.explaining.detection.results import detections_stage, nms_stage
from boxmask.explaining.detection.roi_pooling import pooling_stage
from boxmask.explaining.detection.selective_search import proposals_stage, regions_stage
from boxmask.explaining.detection.suppression import explain_nms
from boxmask.explaining.inputs import features_stage, image_stage
from boxmask.explaining.photo_view import PhotoView, in_photo
from boxmask.pipeline.images import Batch
from boxmask.types import Detections

SCORES_TEXT = (
    "Two fully connected layers read the cells of each region, and a softmax over the classes and the "
    "background gives its scores. The bars show the regions of the first detections, then others: most "
    "proposals are background."
)
REGRESSION_TEXT = "The same layers predict how each edge of the region has to move, for each class apart."


def explain_fast_rcnn(model: FastRCNN, view: PhotoView) -> tuple[list[Stage], Detections]:
    """The stages of Fast R-CNN, and its detections."""
    batch = model.prepare([view.image])
    proposals = model.propose([view.image])
    rois = batch.rescale_boxes(proposals)
    features = model.features(batch.pixels)
    logits, deltas = model.box_head(model.pool(features, rois))
    nms = explain_nms(model, lambda copy: copy.postprocess(logits, deltas, rois, batch)[0])
    class_deltas = deltas.float() * model.delta_std + model.delta_mean
    regions = Regions.of(rois[0], split_scores(logits), class_deltas, batch)
    rows = regions.examples(nms.winners)
    [detections] = model.postprocess(logits, deltas, rois, batch)
    text = f"The CNN runs once over the photo, and all {len(rois[0]):,} regions share its feature map."
    return [
        image_stage(batch, model.backbone),
        regions_stage(view, model.config.search),
        proposals_stage(view, proposals[0].numpy(force=True)),
        features_stage(view, batch, [features], text),
        _pooling(model, view, batch, features, rois[0][rows]),
        scores_stage(view, regions, rows, model.class_names, SCORES_TEXT),
        refinement_stage(view, regions, nms.winners, REGRESSION_TEXT),
        nms_stage(view, nms, model.config),
        detections_stage(view, detections),
    ], detections


def _pooling(model: FastRCNN, view: PhotoView, batch: Batch, features: Tensor, rois: Tensor) -> Stage:
    size, stride = model.config.pool_size, model.config.stride
    text = (
        f"RoI max pooling divides each region into {size} × {size} cells, whatever its shape, and keeps the "
        f"strongest features of each. Edges are rounded to whole cells of the feature map, {stride} pixels "
        "of the resized photo each, so the areas differ a little from the proposals. Below, each region and "
        "what the next stage sees of it: from weak (dark) to strong features."
    )
    area = rounded_to_cells(rois.numpy(force=True), stride)
    shown = in_photo(rois.new_tensor(area), batch)
    captions = [f"{stride}"] * len(rois)
    return pooling_stage(view, shown, model.pool(features, [rois]), captions, text)


def rounded_to_cells(boxes: Float[np.ndarray, "R 4"], stride: int) -> Float[np.ndarray, "R 4"]:
    """The pixels that RoI max pooling covers: from the first to the last cell, both included."""
    first = np.floor(boxes[:, :2] / stride + 0.5)
    last = np.maximum(np.floor(boxes[:, 2:] / stride + 0.5), first)
    return np.concatenate([first, last + 1], axis=1) * stride
