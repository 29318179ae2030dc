"""Renaming state dict keys: what the key tables of several torchvision networks share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from torch import Tensor, nn

from boxmask.errors import WeightsError
from boxmask.messages import one_line

BACKBONE_PREFIX = "backbone.body."
TIMM_EPS = 1e-5  # added to the variance by timm's batch norm, and by torchvision's unless set otherwise
FPN_LAYERS = {  # regular expression for the start of torchvision's key -> ours
    r"backbone\.fpn\.inner_blocks\.(\d)\.(?:0\.)?": r"fpn.lateral.\1.",
    r"backbone\.fpn\.layer_blocks\.(\d)\.(?:0\.)?": r"fpn.output.\1.",
    r"backbone\.fpn\.extra_blocks\.p6\.": "fpn.strided.0.",
    r"backbone\.fpn\.extra_blocks\.p7\.": "fpn.strided.1.",
}
NetworkT = TypeVar("NetworkT", bound=nn.Module)


def split_backbone(
    state: Mapping[str, Tensor], batch_norm_eps: float | None, our_eps: float = TIMM_EPS
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Split a state dict into the backbone, with its own keys, and the rest, with torchvision's.

    batch_norm_eps: added to the variance by torchvision's detector, None: 1e-5
    our_eps:        added by the backbone that the weights are for. The variance is shifted by the difference.
    """
    shift = (TIMM_EPS if batch_norm_eps is None else batch_norm_eps) - our_eps
    backbone = {k[len(BACKBONE_PREFIX) :]: v for k, v in state.items() if k.startswith(BACKBONE_PREFIX)}
    backbone = {k: v + shift if k.endswith("running_var") else v for k, v in backbone.items()}
    return backbone, {k: v for k, v in state.items() if not k.startswith(BACKBONE_PREFIX)}


def fold_norms(state: Mapping[str, Tensor], batch_norm_eps: float | None) -> dict[str, Tensor]:
    """Fold each batch norm, "<layer>.1", into the convolution before it, "<layer>.0", which gains a bias.

    norm(conv(x, w)) = conv(x, scale * w) + shift, because the statistics are fixed.
    """
    eps, folded = TIMM_EPS if batch_norm_eps is None else batch_norm_eps, dict(state)
    for layer in [key[: -len(".1.running_mean")] for key in state if key.endswith(".1.running_mean")]:
        mean, variance = folded.pop(f"{layer}.1.running_mean"), folded.pop(f"{layer}.1.running_var")
        scale = folded.pop(f"{layer}.1.weight") * (variance + eps).rsqrt()
        folded.pop(f"{layer}.1.num_batches_tracked", None)
        shift = folded.pop(f"{layer}.1.bias") - scale * mean
        folded[f"{layer}.0.weight"] = folded[f"{layer}.0.weight"] * scale[:, None, None, None]
        folded[f"{layer}.0.bias"] = shift + scale * folded.get(f"{layer}.0.bias", 0)
    return folded


def rename(state: Mapping[str, Tensor], layers: Mapping[str, str]) -> dict[str, Tensor]:
    """Replace the start of each key by the table `layers`, regular expression -> replacement."""
    renamed = {}
    for key, tensor in state.items():
        new_key = key
        for pattern, replacement in layers.items():
            new_key = re.sub(rf"^{pattern}", replacement, new_key)
        renamed[new_key] = tensor
    return renamed


def load_heads(network: NetworkT, state: dict[str, Tensor], name: str) -> NetworkT:
    """Load all weights except the backbone's, and return the network in evaluation mode.

    name: torchvision's name of the network. Raises WeightsError if a tensor is missing, unknown or of another
    shape.
    """
    try:
        missing, unknown = network.load_state_dict(state, strict=False)
    except RuntimeError as error:  # a layer has another shape
        raise WeightsError(f"these are not the weights of torchvision's {name}: {one_line(error)}") from error
    wrong = [*(key for key in missing if not key.startswith(("backbone.", "boxes.backbone."))), *unknown]
    if wrong:
        raise WeightsError(f"these are not the weights of torchvision's {name}: {wrong[:3]}")
    return network.eval()
