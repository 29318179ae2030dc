"""Faster R-CNN from torchvision's weights.

torchvision counts the background as class 0; here it is the last logit and has no deltas.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from boxmask.detectors.faster_rcnn import PRESETS, FasterRCNN, FasterRCNNConfig
from boxmask.errors import WeightsError
from boxmask.weights.key_table import PYRAMID, fill, rename, split_body

NAMES = ("fasterrcnn_resnet50_fpn",)
LAYERS = {  # the start of torchvision's key -> the start of ours
    **PYRAMID,
    r"rpn\.head\.conv\.(?:0\.0\.)?": "rpn_head.conv.",
    r"rpn\.head\.cls_logits\.": "rpn_head.objectness.",
    r"rpn\.head\.bbox_pred\.": "rpn_head.deltas.",
    r"roi_heads\.box_head\.fc(\d)\.": r"box_head.fc\1.",
    r"roi_heads\.box_predictor\.cls_score\.": "box_head.logits.",
    r"roi_heads\.box_predictor\.bbox_pred\.": "box_head.deltas.",
}


def class_count(name: str, state_dict: Mapping[str, Tensor]) -> int:
    """K of these weights, without the background; WeightsError where there is no such head."""
    if "roi_heads.box_predictor.cls_score.bias" not in state_dict:
        raise WeightsError(f"these are not the weights of torchvision's {name}: its box predictor is missing")
    return len(state_dict["roi_heads.box_predictor.cls_score.bias"]) - 1


def faster_rcnn_from_torchvision(
    name: str, state_dict: Mapping[str, Tensor], class_names: tuple[str, ...], batch_norm_eps: float | None
) -> FasterRCNN:
    """A Faster R-CNN of ours with torchvision's weights; see `from_torchvision`."""
    body, heads = split_body(state_dict, batch_norm_eps)
    config = FasterRCNNConfig(class_names, "resnet50", **PRESETS["fpn"])  # type: ignore[arg-type]
    detector = FasterRCNN(config, body)
    return fill(detector, _background_last(rename(heads, LAYERS), name), name)


def _background_last(state: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    moved = dict(state)
    try:
        for kind in ("weight", "bias"):
            logits = state[f"box_head.logits.{kind}"]
            moved[f"box_head.logits.{kind}"] = torch.cat([logits[1:], logits[:1]])
            moved[f"box_head.deltas.{kind}"] = state[f"box_head.deltas.{kind}"][4:]
    except KeyError as error:
        raise WeightsError(
            f"these are not the weights of torchvision's {name}: {error} is missing"
        ) from error
    return moved
