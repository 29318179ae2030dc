"""R-CNN (arXiv:1311.2524): proposals, warped regions, SVMs, box regressors, NMS."""

from __future__ import annotations

import torch
from torch import Tensor

from boxmask.detectors.rcnn import RCNN
from boxmask.explaining.contract import Stage
from boxmask.explaining.detection.regions import (
    Regions,
    class_bars,
    refinement_stage,
    scores_stage,
)
from boxmask.explaining.detection.results import detections_stage, nms_stage
from boxmask.explaining.detection.selective_search import proposals_stage, regions_stage
from boxmask.explaining.detection.suppression import explain_nms
from boxmask.explaining.inputs import denormalize, image_stage, sheet, span
from boxmask.explaining.photo_view import PhotoView, in_photo
from boxmask.pipeline.images import Batch
from boxmask.types import Detections
from boxmask.visualization.bars import BarRow, draw_bars


def explain_rcnn(model: RCNN, view: PhotoView) -> tuple[list[Stage], Detections]:
    """The stages of R-CNN, and its detections."""
    batch = model.prepare([view.image])
    proposals = model.propose([view.image])
    rois = batch.rescale_boxes(proposals)[0]
    scores, deltas = model.score_regions(batch, 0, rois)
    nms = explain_nms(model, lambda copy: copy.postprocess(scores, deltas, rois, batch, 0))
    regions = Regions.of(rois, scores, deltas, batch)
    rows = regions.examples(nms.winners)
    detections = model.postprocess(scores, deltas, rois, batch, 0)
    return [
        image_stage(batch, model.backbone),
        regions_stage(view, model.config.search),
        proposals_stage(view, proposals[0].numpy(force=True)),
        _warped_stage(model, batch, rois, rows),
        *_score_stages(model, view, batch, rois, regions, rows),
        refinement_stage(view, regions, nms.winners, _regression_text(model)),
        nms_stage(view, nms, model.config),
        detections_stage(view, detections),
    ], detections


def _warped_stage(model: RCNN, batch: Batch, rois: Tensor, rows: list[int]) -> Stage:
    """Some regions as the CNN sees them."""
    warped = model.warp(batch, 0, rois[rows])
    pictures = [denormalize(region, model.backbone) for region in warped]
    side, context = model.config.region_size, model.config.context
    text = (
        f"Each of the {len(rois):,} proposals is warped to {side} × {side} pixels, whatever its shape, with "
        f"{context} pixels of its surroundings on each side. The CNN computes the features of each of these "
        "pictures alone, which takes most of the time. Shown are the regions that became the first "
        "detections, then others."
    )
    boxes = in_photo(rois[rows], batch)
    captions = [f"{x2 - x1:.0f} × {y2 - y1:.0f} pixels" for x1, y1, x2, y2 in boxes.tolist()]
    captions = [f"{number}. {caption}" for number, caption in enumerate(captions, start=1)]
    data = {"boxes": boxes, "regions": pictures, "shown": rows}
    return Stage(
        "warped-regions", "Warped regions", text, sheet(dict(zip(captions, pictures, strict=True))), data
    )


def _score_stages(
    model: RCNN, view: PhotoView, batch: Batch, rois: Tensor, regions: Regions, rows: list[int]
) -> list[Stage]:
    """The SVM margins and the scores; before the SVMs are fitted, the scores of the softmax alone."""
    names = model.class_names
    if not model.fitted:
        text = (
            "The SVMs are not fitted yet, so a softmax over the classes and the background gives the scores."
        )
        return [scores_stage(view, regions, rows, names, text)]
    _, fc7 = model.extract_features(batch, 0, rois[rows])
    margins = model.svm_margins(fc7).float().numpy(force=True)
    low, high = span(margins)
    bar_rows = [
        BarRow((view.crop(regions.boxes[row]),), class_bars(margin, names))
        for row, margin in zip(rows, margins, strict=True)
    ]
    picture = draw_bars(bar_rows, (min(low, -1.0), max(high, 1.0)))
    margin_text = (
        "One linear SVM per class decides whether a region is an object of its class. The bars show the "
        "signed distance from its border: from 1 on, the SVM is sure that it is one; from −1 down, that it "
        "is not."
    )
    margin_data = {"boxes": regions.boxes[rows], "margins": margins, "class_names": list(names)}
    score_text = (
        "A sigmoid per class turns the distances into scores from 0 to 1 (Platt's method), so that scores of "
        "different classes can be compared. Each class has its own score: they do not add up to 1."
    )
    return [
        Stage("svm-margins", "SVM margins", margin_text, picture, margin_data),
        scores_stage(view, regions, rows, names, score_text, background=False),
    ]


def _regression_text(model: RCNN) -> str:
    if not bool(torch.any(model.regressor_weights != 0)):
        return "The box regressors are not fitted yet, so proposals stay where they are."
    return (
        "A ridge regression per class, fitted to the features of the CNN, moves each proposal closer to the "
        "object."
    )
