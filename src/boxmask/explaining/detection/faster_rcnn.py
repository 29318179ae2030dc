"""Faster R-CNN (arXiv:1506.01497): features, anchors, RPN, RoI pooling, heads, NMS."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.explaining.contract import Stage
from boxmask.explaining.detection.anchors import anchors_stage, level_maps, maps_stage, sigmoids
from boxmask.explaining.detection.fast_rcnn import REGRESSION_TEXT, SCORES_TEXT, rounded_to_cells
from boxmask.explaining.detection.regions import Regions, refinement_stage, scores_stage, split_scores
from boxmask.explaining.detection.results import detections_stage, nms_stage, shown_count
from boxmask.explaining.detection.roi_pooling import pooling_stage
from boxmask.explaining.detection.suppression import ALL, NO_NMS, explain_nms
from boxmask.explaining.detection.winners import per_row, stacked
from boxmask.explaining.inputs import features_stage, image_stage, sheet, stride_of
from boxmask.explaining.photo_view import PhotoView, in_photo
from boxmask.geometry.boxes import clip, decode
from boxmask.pipeline.features.fpn import assign_levels
from boxmask.pipeline.images import Batch, spatial_size
from boxmask.pipeline.model import with_config
from boxmask.types import Detections

AT_CORNER = 0.0  # of their cells lie the centers of the anchors, as in torchvision
MAX_PROPOSALS = 100  # more boxes would hide the photo


def explain_faster_rcnn(model: FasterRCNN, view: PhotoView) -> tuple[list[Stage], Detections]:
    """The stages of Faster R-CNN, and its detections."""
    batch = model.prepare([view.image])
    features = model.features(batch.pixels)
    stages, detections = explain_boxes(model, view, batch, features)
    return [*stages, detections_stage(view, detections)], detections


def explain_boxes(
    model: FasterRCNN, view: PhotoView, batch: Batch, features: list[Tensor]
) -> tuple[list[Stage], Detections]:
    """The stages from the image to NMS; Mask R-CNN shares them."""
    rois = model.rpn_proposals(features, batch, model.config.test_proposals)
    logits, deltas = model.box_head(model.pool(features, rois))
    nms = explain_nms(model, lambda copy: copy.postprocess(logits, deltas, rois, batch)[0])
    class_deltas = deltas.float() / deltas.new_tensor(model.config.delta_weights)
    regions = Regions.of(rois[0], split_scores(logits), class_deltas, batch)
    rows = regions.examples(nms.winners)
    followed = regions.origins(nms.winners[: shown_count(view, nms.winners)])
    text = "The CNN runs once over the photo. Fine maps show small details, coarse maps large shapes."
    objectness, _ = model.rpn_head(features)
    return [
        image_stage(batch, model.backbone),
        features_stage(view, batch, features, text),
        anchors_stage(view, batch, model.anchors(features, batch), features),
        _objectness_stage(view, batch, level_maps(sigmoids(objectness), features)),
        _proposals_stage(model, view, batch, features, (rois[0], followed)),
        *([_pooling(model, view, batch, features, rois[0][rows])] if rows else []),
        scores_stage(view, regions, rows, model.class_names, SCORES_TEXT),
        refinement_stage(view, regions, nms.winners, REGRESSION_TEXT),
        nms_stage(view, nms, model.config),
    ], model.postprocess(logits, deltas, rois, batch)[0]


def _objectness_stage(view: PhotoView, batch: Batch, maps: list[Float[np.ndarray, "H W"]]) -> Stage:
    text = (
        "The region proposal network (RPN) gives every anchor an objectness, the probability that it covers "
        "an object of any class. The pictures show the highest objectness among the anchors of each cell."
    )
    return maps_stage(view, batch, maps, ("objectness", "RPN objectness"), text, "objectness", AT_CORNER)


def _proposals_stage(
    model: FasterRCNN,
    view: PhotoView,
    batch: Batch,
    features: list[Tensor],
    proposals: tuple[Tensor, Int[np.ndarray, " M"]],
) -> Stage:
    """The RPN's proposals before and after NMS.

    proposals: all, and the rows of those that became the first detections
    """
    c, (kept, followed) = model.config, proposals
    unlimited = with_config(model, proposal_nms_iou=NO_NMS)
    [before] = unlimited.rpn_proposals(features, batch, (c.test_proposals[0], ALL))
    in_photo_before, in_photo_kept = in_photo(before, batch), in_photo(kept, batch)
    pictures = {
        f"before NMS: {min(len(before), MAX_PROPOSALS)} of {len(before):,}": view.draw(
            in_photo_before[:MAX_PROPOSALS]
        ),
        f"after NMS: {min(len(kept), MAX_PROPOSALS)} of {len(kept):,}": view.draw(
            in_photo_kept[:MAX_PROPOSALS]
        ),
    }
    text = (
        f"The RPN also moves its anchors onto the objects. On each level, the {c.test_proposals[0]} anchors "
        f"with the highest objectness become boxes, {len(before):,} in all. NMS removes boxes that overlap a "
        f"better one by more than an IoU of {c.proposal_nms_iou:g}, and at most {c.test_proposals[1]} "
        f"remain: {len(kept):,} proposals. The pictures show the first of both."
    )
    data = {
        "before_nms": in_photo_before,
        "boxes": in_photo_kept,
        "nms_iou": c.proposal_nms_iou,
        "followed": _anchors_of(model, batch, features, kept[followed]),
    }
    return Stage("proposals", "Proposals", text, sheet(pictures), data)


def _anchors_of(
    model: FasterRCNN, batch: Batch, features: list[Tensor], proposals: Tensor
) -> dict[str, np.ndarray]:
    """The anchors that became some proposals (M, 4), with their objectness and the strides of their maps."""
    logits, deltas = (stacked([x[0] for x in levels]) for levels in model.rpn_head(features))
    per_level = model.anchors(features, batch)
    anchors = stacked(per_level)
    boxes = clip(decode(anchors, deltas), batch.sizes[0])
    rows = [int((boxes - proposal).abs().sum(dim=1).argmin()) for proposal in proposals]
    strides = [stride_of(batch, spatial_size(x)) for x in features]
    return {
        "anchors": in_photo(anchors[rows].reshape(-1, 4), batch),
        "objectness": torch.sigmoid(logits[rows]).numpy(force=True),
        "strides": per_row(strides, per_level)[rows],
    }


def _pooling(model: FasterRCNN, view: PhotoView, batch: Batch, features: list[Tensor], rois: Tensor) -> Stage:
    """The cells of some proposals, and what the second stage sees of them."""
    c = model.config
    pooled = model.pool(features, [rois])
    if c.roi_max_pool:
        area, strides = (
            rois.new_tensor(rounded_to_cells(rois.numpy(force=True), c.strides[0])),
            [c.strides[0]] * len(rois),
        )
        method = "RoI max pooling divides each proposal, rounded to whole cells of the feature map,"
    else:
        levels = assign_levels(rois, c.strides, c.canonical_size).tolist()
        area, strides = rois, [c.strides[0] * 2**level for level in levels]
        method = "RoIAlign divides each proposal, without rounding its edges,"
    text = (
        f"{method} into {c.pool_size} × {c.pool_size} cells and reads the features of each. "
        + (
            "Small proposals are read from fine maps, large ones from coarse maps. "
            if len(c.strides) > 1
            else ""
        )
        + "Below, each proposal and what the second stage sees of it: from weak (dark) to strong features."
    )
    captions = [f"stride {stride}" for stride in strides]
    return pooling_stage(view, in_photo(area, batch), pooled, captions, text)
