"""RetinaNet and FCOS from torchvision's weights.

torchvision gives the background a column of its own, the first, though every class has its own sigmoid: it
is never taught anything, and its score falls to nothing. It is left out here, unless it is given a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from boxmask.detectors import fcos, retinanet
from boxmask.detectors.fcos import FCOS, FCOSConfig
from boxmask.detectors.retinanet import RetinaNet, RetinaNetConfig
from boxmask.errors import WeightsError
from boxmask.weights.torchvision.key_table import PYRAMID, fill, rename, split_body

V1, V2, OF_FCOS = "retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2", "fcos_resnet50_fpn"
NAMES = (V1, V2, OF_FCOS)

EVERYWHERE = {"multiple_of": 32, "min_box_size": 0.0}  # padding as in Mask R-CNN; boxes without area stay
OF_RETINANET = {
    **retinanet.PRESETS["paper"],
    **EVERYWHERE,
    "anchor_sizes": tuple(  # whole pixels
        tuple(int(side * 2 ** (third / 3)) for third in range(3)) for side in (32, 64, 128, 256, 512)
    ),
    "detections_per_image": 300,
}
NUMBERS: dict[str, dict[str, Any]] = {  # torchvision's, where they are not the paper's
    V1: {**OF_RETINANET, "extra_level_source": "P5", "box_beta": 0.0},  # L1
    V2: {**OF_RETINANET, "extra_level_source": "C5", "norm_groups": 32, "giou_loss": True},
    OF_FCOS: {**fcos.PRESETS["paper"], **EVERYWHERE, "place": 0.0, "score_threshold": 0.2},
}
LAYERS = {  # the start of torchvision's key -> the start of ours
    **PYRAMID,
    r"head\.classification_head\.conv\.": "class_head.tower.",
    r"head\.classification_head\.cls_logits\.": "class_head.last.",
}
BOX_LAYERS = {
    "retinanet": {
        r"head\.regression_head\.conv\.": "box_head.tower.",
        r"head\.regression_head\.bbox_reg\.": "box_head.last.",
    },
    "fcos": {
        r"head\.regression_head\.conv\.": "box_tower.",
        r"head\.regression_head\.bbox_reg\.": "distances.",
        r"head\.regression_head\.bbox_ctrness\.": "centerness.",
    },
}
LOGITS, BOXES = "head.classification_head.cls_logits.", "head.regression_head.bbox_reg."


def class_count(name: str, state_dict: Mapping[str, Tensor]) -> int:
    """K of these weights, without the background; WeightsError where there is no such head."""
    if f"{LOGITS}bias" not in state_dict or f"{BOXES}bias" not in state_dict:
        raise WeightsError(f"these are not the weights of torchvision's {name}: its heads are missing")
    return len(state_dict[f"{LOGITS}bias"]) // (len(state_dict[f"{BOXES}bias"]) // 4) - 1


def dense_from_torchvision(
    name: str, state_dict: Mapping[str, Tensor], class_names: tuple[str, ...], batch_norm_eps: float | None
) -> RetinaNet | FCOS:
    """A RetinaNet or FCOS of ours with torchvision's weights; see `from_torchvision`."""
    body, heads = split_body(state_dict, batch_norm_eps)
    if len(class_names) == class_count(name, state_dict):
        heads = _without_background(heads, 1 + len(class_names))
    layers_a_floor = (
        3 if name == OF_FCOS else 2
    )  # convolution, norm, ReLU; without norm before torchvision 0.14
    heads = {_by_floors(key, layers_a_floor): tensor for key, tensor in heads.items()}
    if name == OF_FCOS:
        state = rename(heads, {**LAYERS, **BOX_LAYERS["fcos"]})
        state["scales"] = torch.ones(5)  # torchvision has none
        return fill(FCOS(FCOSConfig(class_names, **NUMBERS[name]), body), state, name)
    state = rename(heads, {**LAYERS, **BOX_LAYERS["retinanet"]})
    if name == V2:
        state = _with_biases(state)
    return fill(RetinaNet(RetinaNetConfig(class_names, **NUMBERS[name]), body), state, name)


def _without_background(heads: dict[str, Tensor], columns: int) -> dict[str, Tensor]:
    """Without the first of each anchor's columns."""
    return {
        key: tensor.unflatten(0, (-1, columns))[:, 1:].flatten(0, 1) if key.startswith(LOGITS) else tensor
        for key, tensor in heads.items()
    }


def _by_floors(key: str, layers: int) -> str:
    """A plain row of layers by floor and layer: "conv.7.weight" is "conv.2.1.weight"; others as they are.

    FCOS is written so, and RetinaNet in the file that torchvision offers.
    """
    found = re.fullmatch(r"(head\..*\.conv)\.(\d+)\.(\w+)", key)
    if found is None:
        return key
    floor, layer = divmod(int(found[2]), layers)
    return f"{found[1]}.{floor}.{layer}.{found[3]}"


def _with_biases(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Where a norm follows, torchvision's convolutions have no bias."""
    convs = [key for key in state if re.search(r"tower\.\d\.0\.weight", key)]
    zeros = {key.replace("weight", "bias"): state[key].new_zeros(len(state[key])) for key in convs}
    return {**zeros, **state}
