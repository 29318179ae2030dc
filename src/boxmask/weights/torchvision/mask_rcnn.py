"""Mask R-CNN with torchvision's weights: its Faster R-CNN, and its mask head without the background."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from boxmask.detectors.mask_rcnn import MaskRCNN
from boxmask.models.table import make_config
from boxmask.weights.torchvision.faster_rcnn import V2_OPTIONS, rename_faster_rcnn
from boxmask.weights.torchvision.key_table import load_heads, rename, split_backbone

NETWORK_NAMES = ("maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2")
LOGITS = "mask_head.logits."
LAYERS = {  # regular expression for the start of torchvision's key -> ours
    r"roi_heads\.mask_head\.mask_fcn1\.": "mask_head.convs.0.0.",  # in the file that torchvision offers
    r"roi_heads\.mask_head\.mask_fcn2\.": "mask_head.convs.1.0.",
    r"roi_heads\.mask_head\.mask_fcn3\.": "mask_head.convs.2.0.",
    r"roi_heads\.mask_head\.mask_fcn4\.": "mask_head.convs.3.0.",
    r"roi_heads\.mask_head\.(\d)\.0\.": r"mask_head.convs.\1.0.",  # in networks that torchvision builds
    r"roi_heads\.mask_predictor\.conv5_mask\.": "mask_head.deconv.",
    r"roi_heads\.mask_predictor\.mask_fcn_logits\.": LOGITS,
}


def mask_rcnn_from_torchvision(
    name: str, state_dict: Mapping[str, Tensor], class_names: tuple[str, ...], batch_norm_eps: float | None
) -> MaskRCNN:
    """A Mask R-CNN with torchvision's weights; see `from_torchvision`."""
    backbone, heads = split_backbone(state_dict, batch_norm_eps)
    options = V2_OPTIONS if name.endswith("_v2") else {}
    config = make_config("mask-rcnn", "paper", class_names=class_names, **options)
    return load_heads(MaskRCNN(config, backbone), rename_mask_rcnn(heads, name, batch_norm_eps), name)


def rename_mask_rcnn(
    heads: Mapping[str, Tensor], name: str, batch_norm_eps: float | None
) -> dict[str, Tensor]:
    """Our state dict of everything but the backbone, from torchvision's; see `rename_faster_rcnn`."""
    state = {}
    for key, tensor in rename(rename_faster_rcnn(heads, name, batch_norm_eps), LAYERS).items():
        if key.startswith(LOGITS):
            state[key] = tensor[1:]
        else:
            state[key if key.startswith("mask_head.") else f"boxes.{key}"] = tensor
    return state
