"""Faster R-CNN from torchvision's weights.

torchvision counts the background as class 0; here it is the last logit and has no deltas. The second network
has batch norms in its pyramid and in its box head: they are computed inside the convolutions before them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from boxmask.detectors.faster_rcnn import PRESETS, FasterRCNN, FasterRCNNConfig
from boxmask.errors import WeightsError
from boxmask.weights.torchvision.key_table import PYRAMID, fill, fold_norms, rename, split_body

NAMES = ("fasterrcnn_resnet50_fpn", "fasterrcnn_resnet50_fpn_v2")
SECOND: dict[str, Any] = {"rpn_depth": 2, "box_convs": 4}  # of torchvision's second networks, "..._v2"
LAYERS = {  # the start of torchvision's key -> the start of ours
    **PYRAMID,
    r"rpn\.head\.conv\.(?:0\.0\.)?": "rpn_head.conv.",
    r"rpn\.head\.cls_logits\.": "rpn_head.objectness.",
    r"rpn\.head\.bbox_pred\.": "rpn_head.deltas.",
    r"roi_heads\.box_head\.fc(\d)\.": r"box_head.fc\1.",
    r"roi_heads\.box_predictor\.cls_score\.": "box_head.logits.",
    r"roi_heads\.box_predictor\.bbox_pred\.": "box_head.deltas.",
}
LAYERS_OF_SECOND = {  # these are looked for before the others
    r"rpn\.head\.conv\.0\.0\.": "rpn_head.tower.0.0.",
    r"rpn\.head\.conv\.1\.0\.": "rpn_head.conv.",
    r"roi_heads\.box_head\.(\d)\.0\.": r"box_head.convs.\1.0.",
    r"roi_heads\.box_head\.5\.": "box_head.fc6.",
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
    config = FasterRCNNConfig(class_names, "resnet50", **PRESETS["fpn"], **layers_of(name))  # type: ignore[arg-type]
    return fill(FasterRCNN(config, body), renamed(heads, name, batch_norm_eps), name)


def layers_of(name: str) -> dict[str, Any]:
    """The numbers in which one of torchvision's two networks differs from the preset."""
    return SECOND if name.endswith("_v2") else {}


def renamed(heads: Mapping[str, Tensor], name: str, batch_norm_eps: float | None) -> dict[str, Tensor]:
    """What lies behind the backbone of torchvision's network `name`, as ours; norms are folded everywhere.

    Keys that are not of a Faster R-CNN keep their names. Raises WeightsError where parts are missing.
    """
    second = LAYERS_OF_SECOND if name.endswith("_v2") else {}
    try:
        state = rename(fold_norms(heads, batch_norm_eps), {**second, **LAYERS})
        for kind in ("weight", "bias"):
            logits = state[f"box_head.logits.{kind}"]
            state[f"box_head.logits.{kind}"] = torch.cat([logits[1:], logits[:1]])
            state[f"box_head.deltas.{kind}"] = state[f"box_head.deltas.{kind}"][4:]
    except KeyError as error:
        raise WeightsError(
            f"these are not the weights of torchvision's {name}: {error} is missing"
        ) from error
    return state
