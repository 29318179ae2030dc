"""Detectors from torchvision's weights: the same numbers under our names, so that both can be compared.

torchvision counts the background as class 0; here it is the last logit and has no deltas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from boxmask.detectors.contract import Detector
from boxmask.detectors.faster_rcnn import PRESETS, FasterRCNN, FasterRCNNConfig
from boxmask.errors import WeightsError

BODY_PREFIX = "backbone.body."
LAYERS = {  # the start of torchvision's key -> the start of ours
    r"backbone\.fpn\.inner_blocks\.(\d)\.(?:0\.)?": r"fpn.lateral.\1.",
    r"backbone\.fpn\.layer_blocks\.(\d)\.(?:0\.)?": r"fpn.output.\1.",
    r"rpn\.head\.conv\.(?:0\.0\.)?": "rpn_head.conv.",
    r"rpn\.head\.cls_logits\.": "rpn_head.objectness.",
    r"rpn\.head\.bbox_pred\.": "rpn_head.deltas.",
    r"roi_heads\.box_head\.fc(\d)\.": r"box_head.fc\1.",
    r"roi_heads\.box_predictor\.cls_score\.": "box_head.logits.",
    r"roi_heads\.box_predictor\.bbox_pred\.": "box_head.deltas.",
}


def from_torchvision(
    name: str,
    state_dict: Mapping[str, Tensor],
    class_names: tuple[str, ...] | None = None,
    batch_norm_eps: float | None = None,
) -> Detector:
    """A detector of ours with the weights of `torchvision.models.detection.<name>`, in evaluation mode.

    class_names:    the K classes without the background; default: COCO's where K fits, else "class 1"...
    batch_norm_eps: what torchvision adds to the variance; default 1e-5. torchvision's own COCO weights want
                    0.0, which it sets after loading them.
    Raises WeightsError for a name that is not known or weights of another network.
    """
    if name != "fasterrcnn_resnet50_fpn":
        raise WeightsError(f"torchvision's {name!r} is not known here; known: fasterrcnn_resnet50_fpn")
    body = {k[len(BODY_PREFIX) :]: v for k, v in state_dict.items() if k.startswith(BODY_PREFIX)}
    heads = {k: v for k, v in state_dict.items() if not k.startswith(BODY_PREFIX)}
    if "roi_heads.box_predictor.cls_score.bias" not in heads:
        raise WeightsError(f"these are not the weights of torchvision's {name}: its box predictor is missing")
    count = len(heads["roi_heads.box_predictor.cls_score.bias"]) - 1
    names = class_names or _class_names(count)
    if len(names) != count:
        raise WeightsError(f"these weights know {count} classes, and {len(names)} class names were given")
    preset = PRESETS["fpn"]
    config = FasterRCNNConfig(class_names=names, backbone="resnet50", **preset)  # type: ignore[arg-type]
    detector = FasterRCNN(config, _with_eps(body, batch_norm_eps))
    try:
        missing, unknown = detector.load_state_dict(rename_heads(heads), strict=False)
    except (KeyError, RuntimeError) as error:  # a layer is missing, or another shape
        raise WeightsError(f"these are not the weights of torchvision's {name}: {error}") from error
    missing = [key for key in missing if not key.startswith("backbone.")]
    if missing or unknown:
        raise WeightsError(f"these are not the weights of torchvision's {name}: {[*missing, *unknown][:3]}")
    return detector.eval()


def _class_names(count: int) -> tuple[str, ...]:
    """COCO's names in torchvision's order, where the number fits; numbers mark the ids that COCO left out."""
    from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

    coco = FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"][1:]
    if count != len(coco):
        return tuple(f"class {label + 1}" for label in range(count))
    return tuple(f"N/A {label + 1}" if name == "N/A" else str(name) for label, name in enumerate(coco))


def _with_eps(body: dict[str, Tensor], eps: float | None) -> dict[str, Tensor]:
    """timm's ResNet adds 1e-5 to the variance; shift the variance so that the sum is what is wanted."""
    if eps is None:
        return body
    return {k: v + (eps - 1e-5) if k.endswith("running_var") else v for k, v in body.items()}


def rename_heads(heads: dict[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's names of everything behind the backbone as ours; the background moves to the end."""
    renamed = {}
    for key, tensor in heads.items():
        ours = key
        for pattern, replacement in LAYERS.items():
            ours = re.sub(rf"^{pattern}", replacement, ours)
        renamed[ours] = tensor
    for kind in ("weight", "bias"):
        logits, deltas = renamed[f"box_head.logits.{kind}"], renamed[f"box_head.deltas.{kind}"]
        renamed[f"box_head.logits.{kind}"] = torch.cat([logits[1:], logits[:1]])
        renamed[f"box_head.deltas.{kind}"] = deltas[4:]
    return renamed
