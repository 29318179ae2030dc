"""The last stages of every detector: what NMS removed, and the detections."""

from __future__ import annotations

from typing import Any

import numpy as np

from boxmask.explaining.contract import Stage
from boxmask.explaining.detection.suppression import OVER_LIMIT, Suppression
from boxmask.explaining.photo_view import PhotoView
from boxmask.messages import format_count
from boxmask.options import option
from boxmask.types import Detections
from boxmask.visualization.detections import draw_detections

MAX_SHOWN = 8  # objects whose way is drawn; more would hide one another


def shown_count(view: PhotoView, detections: Detections) -> int:
    """How many of the first detections are followed: those with the view's score, else the first three."""
    certain = int((detections.scores >= view.min_score).sum())
    return min(MAX_SHOWN, certain or min(3, len(detections)))


def nms_stage(view: PhotoView, nms: Suppression, config: Any) -> Stage:
    """The boxes before NMS, in the color of the box that removed them."""
    candidates = nms.candidates
    count = shown_count(view, nms.winners)
    picture, texts = view.picture, []
    for color, row in enumerate(nms.kept[:count].tolist()):
        removed = nms.removed_by(row)
        picture = view.draw(candidates.boxes[removed], [color] * len(removed), on=picture)
        texts.append(f"{candidates.names[row]} {candidates.scores[row]:.2f}, removed {len(removed)}")
    kept = nms.winners[:count]
    picture = view.draw(kept.boxes, list(range(count)), thick=True, on=picture)
    text = _describe_nms(nms, config, count)
    data = {
        "boxes": candidates.boxes,
        "scores": candidates.scores,
        "names": candidates.names,
        "kept": nms.kept,
        "removed_by": nms.remover,
        "nms_iou": config.nms_iou,
    }
    return Stage("nms", "Non-maximum suppression", text, view.tag(picture, kept, texts), data)


def _describe_nms(nms: Suppression, config: Any, count: int) -> str:
    """What NMS did, and the `count` boxes that the picture shows."""
    candidates, over = nms.candidates, int((nms.remover == OVER_LIMIT).sum())
    if not len(candidates):
        return "No score is high enough: there are no boxes that NMS could keep."
    text = (
        f"NMS keeps {format_count(len(nms.kept), 'box')} of "
        f"{len(candidates):,}. Starting from the highest score, each kept box removes the boxes of its class "
        f"that overlap it by more than an IoU of {config.nms_iou:g}."
    )
    if over:
        text += f" Another {over} are beyond the limit of detections per photo."
    if count:
        first = "box with the highest score" if count == 1 else f"{count} boxes with the highest scores"
        text += (
            f" The picture shows the {first} (thick), and in the same color the boxes that were removed for "
            "overlapping it (thin)."
        )
    if voting_iou := getattr(config, "voting_iou", 0.0):
        text += (
            " Then each kept box moves to the mean of the boxes of its class with an IoU of at least "
            f"{voting_iou:g}, weighted by their scores (box voting). The last picture shows the moved boxes."
        )
    return text


def detections_stage(view: PhotoView, detections: Detections) -> Stage:
    """The result, as `boxmask predict` draws it."""
    certain = int((detections.scores >= view.min_score).sum())
    noun = format_count(certain, "object")
    text = f"The result: {noun} with a score of at least {view.min_score:g}"
    others = len(detections) - certain
    text += f", and {others:,} below it, which are not drawn." if others else "."
    if not certain and others:
        text += f" Train longer, or give a lower {option('min_score')}."
    picture = view.fit(draw_detections(view.pixels, detections, min_score=view.min_score))
    data = {
        "boxes": detections.boxes,
        "scores": detections.scores,
        "labels": np.asarray(detections.labels),
        "names": detections.names,
        "class_names": list(detections.class_names),
    }
    return Stage("detections", "Detections", text, picture, data)
