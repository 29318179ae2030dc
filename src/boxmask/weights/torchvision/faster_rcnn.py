"""Faster R-CNN with torchvision's weights.

torchvision's background is class 0; ours is the last logit, and it has no deltas. The v2 network has batch
norm in its pyramid and its box head, which is folded into the convolutions. The MobileNet networks have a
pyramid on two maps of stride 32, and RoIs read the first.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.errors import WeightsError
from boxmask.models.table import make_config
from boxmask.pipeline.features.mobilenet import COARSE_STRIDES, MOBILENET
from boxmask.weights.torchvision.key_table import FPN_LAYERS, fold_norms, load_heads, rename, split_backbone

V2_OPTIONS: dict[str, object] = {"rpn_depth": 2, "box_convs": 4}
MOBILENET_OPTIONS: dict[str, object] = {
    "backbone": MOBILENET,
    "strides": COARSE_STRIDES,
    "anchor_sizes": ((32, 64, 128, 256, 512),) * 3,
    "proposal_threshold": 0.05,
}
OPTIONS: dict[str, dict[str, object]] = {  # torchvision's, where they differ from the preset "fpn"
    "fasterrcnn_resnet50_fpn": {"backbone": "resnet50"},
    "fasterrcnn_resnet50_fpn_v2": {"backbone": "resnet50", **V2_OPTIONS},
    "fasterrcnn_mobilenet_v3_large_fpn": MOBILENET_OPTIONS,
    "fasterrcnn_mobilenet_v3_large_320_fpn": {
        **MOBILENET_OPTIONS,
        "shorter_side": 320,
        "longer_side": 640,
        "test_proposals": (150, 150),
    },
}
NETWORK_NAMES = tuple(OPTIONS)
MOBILENET_EPS = 1e-3  # added to the variance by the network that we build; torchvision's detector adds 1e-5
LAYERS = {  # regular expression for the start of torchvision's key -> ours
    **FPN_LAYERS,
    r"rpn\.head\.conv\.(?:0\.0\.)?": "rpn_head.conv.",
    r"rpn\.head\.cls_logits\.": "rpn_head.objectness.",
    r"rpn\.head\.bbox_pred\.": "rpn_head.deltas.",
    r"roi_heads\.box_head\.fc(\d)\.": r"box_head.fc\1.",
    r"roi_heads\.box_predictor\.cls_score\.": "box_head.logits.",
    r"roi_heads\.box_predictor\.bbox_pred\.": "box_head.deltas.",
}
V2_LAYERS = {  # applied before LAYERS
    r"rpn\.head\.conv\.0\.0\.": "rpn_head.tower.0.0.",
    r"rpn\.head\.conv\.1\.0\.": "rpn_head.conv.",
    r"roi_heads\.box_head\.(\d)\.0\.": r"box_head.convs.\1.0.",
    r"roi_heads\.box_head\.5\.": "box_head.fc6.",
}


def class_count(name: str, state_dict: Mapping[str, Tensor]) -> int:
    """K of these weights, without the background. Raises WeightsError if the box predictor is missing."""
    if "roi_heads.box_predictor.cls_score.bias" not in state_dict:
        raise WeightsError(f"these are not the weights of torchvision's {name}: its box predictor is missing")
    return state_dict["roi_heads.box_predictor.cls_score.bias"].numel() - 1


def faster_rcnn_from_torchvision(
    name: str, state_dict: Mapping[str, Tensor], class_names: tuple[str, ...], batch_norm_eps: float | None
) -> FasterRCNN:
    """A Faster R-CNN with torchvision's weights; see `from_torchvision`."""
    options = OPTIONS[name]
    if options["backbone"] == MOBILENET:
        body, heads = split_backbone(state_dict, batch_norm_eps, MOBILENET_EPS)
        backbone = {f"features.{key}": tensor for key, tensor in body.items()}
    else:
        backbone, heads = split_backbone(state_dict, batch_norm_eps)
    network = FasterRCNN(make_config("faster-rcnn", "fpn", class_names=class_names, **options), backbone)
    return load_heads(network, rename_faster_rcnn(heads, name, batch_norm_eps), name)


def rename_faster_rcnn(
    heads: Mapping[str, Tensor], name: str, batch_norm_eps: float | None
) -> dict[str, Tensor]:
    """Our state dict of everything but the backbone, from torchvision's network `name`, with norms folded.

    Keys outside Faster R-CNN stay. Raises WeightsError if tensors are missing.
    """
    version_layers = V2_LAYERS if name.endswith("_v2") else {}
    try:
        state = rename(fold_norms(heads, batch_norm_eps), {**version_layers, **LAYERS})
        for kind in ("weight", "bias"):
            logits = state[f"box_head.logits.{kind}"]
            state[f"box_head.logits.{kind}"] = torch.cat([logits[1:], logits[:1]])
            state[f"box_head.deltas.{kind}"] = state[f"box_head.deltas.{kind}"][4:]
    except KeyError as error:
        raise WeightsError(
            f"these are not the weights of torchvision's {name}: {error} is missing"
        ) from error
    return state
