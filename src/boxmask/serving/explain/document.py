"""An explanation as the reply of POST /v1/explain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from boxmask.explaining.contract import Explanation, Stage
from boxmask.serving.explain import detection, pixels
from boxmask.serving.explain.encode import box_list, jpeg, rounded
from boxmask.serving.explain.frame import Found, Frame
from boxmask.serving.explain.reply import ExplainReply, FollowedObject, StageReply
from boxmask.serving.models import ServedModel
from boxmask.types import Detections

Convert = Callable[[dict[str, Any], Frame], Found]

LAYERS: dict[str, Convert] = {
    "image": pixels.image,
    "features": pixels.features,
    # detectors
    "regions": detection.regions,
    "proposals": detection.proposals,
    "anchors": detection.anchors,
    "objectness": detection.level_maps,
    "centerness": detection.level_maps,
    "warped-regions": detection.warped_regions,
    "roi-pooling": detection.roi_pooling,
    "svm-margins": detection.svm_margins,
    "box-regression": detection.box_regression,
    "winners": detection.winners,
    "nms": detection.nms,
    "masks": detection.masks,
    "detections": detection.detections,
    # segmenters and the classifier
    "skips": pixels.skips,
    "aspp": pixels.aspp,
    "entropy": pixels.entropy,
    "label-map": pixels.label_map,
    "class-activation": pixels.class_activation,
}
"""What turns the data of a stage into layers, by the stage's name; the others are scores."""


def reply_to(
    explanation: Explanation, model: ServedModel, name: str, size: tuple[int, int], pictures: bool
) -> ExplainReply:
    """The reply of an explanation.

    name:     that came with the photo
    size:     (height, width) of the photo
    pictures: whether each stage has its picture as well
    """
    frame = Frame.of(explanation, size)
    stages = [_stage(stage, frame, pictures) for stage in explanation]
    objects = []
    if isinstance(explanation.result, Detections):
        objects = _followed(explanation.result[: frame.followed])
        stages[-1].layers.extend(detection.object_map(explanation.result))
    return ExplainReply(
        model=model.name,
        method=explanation.model,
        task=model.task,
        name=name,
        width=size[1],
        height=size[0],
        class_names=list(frame.class_names),
        objects=objects,
        stages=stages,
    )


def _stage(stage: Stage, frame: Frame, pictures: bool) -> StageReply:
    facts, layers = (LAYERS.get(stage.name) or _scores_of(stage))(stage.data, frame)
    area = [float(side) for side in stage.data["area"]] if "area" in stage.data else frame.area
    return StageReply(
        name=stage.name,
        title=stage.title,
        text=stage.text,
        area=area,
        facts=facts,
        layers=layers,
        picture=jpeg(stage.picture) if pictures else None,
    )


def _scores_of(stage: Stage) -> Convert:
    """Scores are of levels, pixels, photos or regions."""
    if "levels" in stage.data:
        return detection.level_maps
    if "probabilities" in stage.data:
        return pixels.class_probabilities
    return pixels.photo_scores if "logits" in stage.data else detection.region_scores


def _followed(objects: Detections) -> list[FollowedObject]:
    rows = zip(objects.names, objects.scores.tolist(), box_list(objects.boxes), strict=True)
    return [FollowedObject(class_name=name, score=rounded(score), box=box) for name, score, box in rows]
