"""Mask R-CNN from torchvision's weights: its Faster R-CNN, and its mask branch without the background."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from boxmask.detectors.mask_rcnn import PRESETS, MaskRCNN, MaskRCNNConfig
from boxmask.weights.torchvision.faster_rcnn import layers_of, renamed
from boxmask.weights.torchvision.key_table import fill, rename, split_body

NAMES = ("maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2")
LOGITS = "mask_head.logits."
FLOORS = ("1", "2", "3", "4")  # of the convolutions in the file that torchvision offers
LAYERS = {  # the start of torchvision's key -> the start of ours
    **{rf"roi_heads\.mask_head\.mask_fcn{n}\.": f"mask_head.convs.{int(n) - 1}.0." for n in FLOORS},
    r"roi_heads\.mask_head\.(\d)\.0\.": r"mask_head.convs.\1.0.",
    r"roi_heads\.mask_predictor\.conv5_mask\.": "mask_head.deconv.",
    r"roi_heads\.mask_predictor\.mask_fcn_logits\.": LOGITS,
}


def mask_rcnn_from_torchvision(
    name: str, state_dict: Mapping[str, Tensor], class_names: tuple[str, ...], batch_norm_eps: float | None
) -> MaskRCNN:
    """A Mask R-CNN of ours with torchvision's weights; see `from_torchvision`."""
    body, heads = split_body(state_dict, batch_norm_eps)
    config = MaskRCNNConfig(class_names, **PRESETS["paper"], **layers_of(name))  # type: ignore[arg-type]
    return fill(MaskRCNN(config, body), renamed_with_masks(heads, name, batch_norm_eps), name)


def renamed_with_masks(
    heads: Mapping[str, Tensor], name: str, batch_norm_eps: float | None
) -> dict[str, Tensor]:
    """What lies behind the backbone of torchvision's network `name`, as ours; see `renamed`."""
    state = {}
    for key, tensor in rename(renamed(heads, name, batch_norm_eps), LAYERS).items():
        if key.startswith(LOGITS):
            state[key] = tensor[1:]
        else:
            state[key if key.startswith("mask_head.") else f"boxes.{key}"] = tensor
    return state
