"""RetinaNet and FCOS with torchvision's weights.

torchvision gives the background a logit of its own, the first, although every class has its own sigmoid. The
background is never a target, so its score falls to zero. It is left out here, unless it is given a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from boxmask.detectors.fcos import FCOS
from boxmask.detectors.retinanet import RetinaNet
from boxmask.errors import WeightsError
from boxmask.models.table import make_config
from boxmask.weights.torchvision.key_table import FPN_LAYERS, load_heads, rename, split_backbone

RETINANET_V1, RETINANET_V2 = "retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2"
FCOS_RESNET50 = "fcos_resnet50_fpn"
NETWORK_NAMES = (RETINANET_V1, RETINANET_V2, FCOS_RESNET50)

COMMON_OPTIONS: dict[str, object] = {
    "multiple_of": 32,  # padding as in Mask R-CNN
    "min_box_size": 0.0,  # boxes without area are kept
}
RETINANET_OPTIONS: dict[str, object] = {
    **COMMON_OPTIONS,
    "anchor_sizes": tuple(  # rounded down to whole pixels
        tuple(int(side * 2 ** (octave / 3)) for octave in range(3)) for side in (32, 64, 128, 256, 512)
    ),
    "detections_per_image": 300,
}
OPTIONS: dict[str, dict[str, object]] = {  # torchvision's, where they differ from the preset "paper"
    RETINANET_V1: {**RETINANET_OPTIONS, "extra_level_source": "P5", "box_beta": 0.0},  # L1
    RETINANET_V2: {**RETINANET_OPTIONS, "extra_level_source": "C5", "norm_groups": 32, "giou_loss": True},
    FCOS_RESNET50: {**COMMON_OPTIONS, "point_offset": 0.0, "score_threshold": 0.2},
}
LAYERS = {  # regular expression for the start of torchvision's key -> ours
    **FPN_LAYERS,
    r"head\.classification_head\.conv\.": "class_head.tower.",
    r"head\.classification_head\.cls_logits\.": "class_head.last.",
}
RETINANET_LAYERS = {
    **LAYERS,
    r"head\.regression_head\.conv\.": "box_head.tower.",
    r"head\.regression_head\.bbox_reg\.": "box_head.last.",
}
FCOS_LAYERS = {
    **LAYERS,
    r"head\.regression_head\.conv\.": "box_tower.",
    r"head\.regression_head\.bbox_reg\.": "distances.",
    r"head\.regression_head\.bbox_ctrness\.": "centerness.",
}
LOGITS, BOXES = "head.classification_head.cls_logits.", "head.regression_head.bbox_reg."


def class_count(name: str, state_dict: Mapping[str, Tensor]) -> int:
    """K of these weights, without the background. Raises WeightsError if a head is missing."""
    if f"{LOGITS}bias" not in state_dict or f"{BOXES}bias" not in state_dict:
        raise WeightsError(f"these are not the weights of torchvision's {name}: its heads are missing")
    num_anchors = state_dict[f"{BOXES}bias"].numel() // 4
    if not num_anchors:
        raise WeightsError(f"these are not the weights of torchvision's {name}: its box head has no anchor")
    return state_dict[f"{LOGITS}bias"].numel() // num_anchors - 1


def dense_from_torchvision(
    name: str, state_dict: Mapping[str, Tensor], class_names: tuple[str, ...], batch_norm_eps: float | None
) -> RetinaNet | FCOS:
    """A RetinaNet or FCOS with torchvision's weights; see `from_torchvision`."""
    backbone, heads = split_backbone(state_dict, batch_norm_eps)
    if len(class_names) == class_count(name, state_dict):
        heads = _without_background(heads, 1 + len(class_names))
    if name == FCOS_RESNET50:
        heads = _index_by_conv(heads, modules_per_conv=3)  # convolution, norm, ReLU
        state = rename(heads, FCOS_LAYERS)
        state["scales"] = torch.ones(5)  # torchvision has none
        fcos = FCOS(make_config("fcos", "paper", class_names=class_names, **OPTIONS[name]), backbone)
        return load_heads(fcos, state, name)
    heads = _index_by_conv(heads, modules_per_conv=2)  # convolution, ReLU, before torchvision 0.14
    state = rename(heads, RETINANET_LAYERS)
    if name == RETINANET_V2:
        state = _with_biases(state)
    config = make_config("retinanet", "paper", class_names=class_names, **OPTIONS[name])
    return load_heads(RetinaNet(config, backbone), state, name)


def _without_background(heads: dict[str, Tensor], num_logits: int) -> dict[str, Tensor]:
    """Drop the first of the `num_logits` logits of each anchor."""
    return {
        key: tensor.unflatten(0, (-1, num_logits))[:, 1:].flatten(0, 1) if key.startswith(LOGITS) else tensor
        for key, tensor in heads.items()
    }


def _index_by_conv(heads: dict[str, Tensor], modules_per_conv: int) -> dict[str, Tensor]:
    """Split the index of a flat tower, "conv.7.weight", into convolution and module, "conv.2.1.weight".

    FCOS has flat towers, and so has the file that torchvision offers for RetinaNet. Other keys stay.
    """
    indexed = {}
    for key, tensor in heads.items():
        found = re.fullmatch(r"(head\..*\.conv)\.(\d+)\.(\w+)", key)
        if found is not None:
            conv, module = divmod(int(found[2]), modules_per_conv)
            key = f"{found[1]}.{conv}.{module}.{found[3]}"
        indexed[key] = tensor
    return indexed


def _with_biases(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Add zero biases to the towers' convolutions: before a norm, torchvision's have none."""
    convs = [key for key in state if re.search(r"tower\.\d\.0\.weight", key)]
    biases = {key.replace("weight", "bias"): state[key].new_zeros(len(state[key])) for key in convs}
    return {**biases, **state}
