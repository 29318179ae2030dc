"""What the key tables of several of torchvision's networks share: renaming, batch norm, and a strict end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from torch import Tensor, nn

from boxmask.errors import WeightsError

BODY_PREFIX = "backbone.body."
PYRAMID = {  # the start of torchvision's key -> the start of ours
    r"backbone\.fpn\.inner_blocks\.(\d)\.(?:0\.)?": r"fpn.lateral.\1.",
    r"backbone\.fpn\.layer_blocks\.(\d)\.(?:0\.)?": r"fpn.output.\1.",
    r"backbone\.fpn\.extra_blocks\.p6\.": "fpn.strided.0.",
    r"backbone\.fpn\.extra_blocks\.p7\.": "fpn.strided.1.",
}
NetworkT = TypeVar("NetworkT", bound=nn.Module)


def split_body(
    state: Mapping[str, Tensor], batch_norm_eps: float | None
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """timm's ResNet, and everything behind it under torchvision's names.

    timm adds 1e-5 to the variance: it is shifted so that the sum is what is wanted.
    """
    shift = 0.0 if batch_norm_eps is None else batch_norm_eps - 1e-5
    body = {k[len(BODY_PREFIX) :]: v for k, v in state.items() if k.startswith(BODY_PREFIX)}
    body = {k: v + shift if k.endswith("running_var") else v for k, v in body.items()}
    return body, {k: v for k, v in state.items() if not k.startswith(BODY_PREFIX)}


def fold_norms(state: Mapping[str, Tensor], batch_norm_eps: float | None) -> dict[str, Tensor]:
    """Without the batch norms behind convolutions: these have a bias and other weights instead.

    norm(conv(x, w)) = conv(x, scale * w) + shift, as the statistics stay as they are. A convolution is
    "<place>.0" and its norm "<place>.1".
    """
    eps, folded = 1e-5 if batch_norm_eps is None else batch_norm_eps, dict(state)
    for place in [key[: -len(".1.running_mean")] for key in state if key.endswith(".1.running_mean")]:
        mean, variance = folded.pop(f"{place}.1.running_mean"), folded.pop(f"{place}.1.running_var")
        scale = folded.pop(f"{place}.1.weight") * (variance + eps).rsqrt()
        folded.pop(f"{place}.1.num_batches_tracked", None)
        shift = folded.pop(f"{place}.1.bias") - scale * mean
        folded[f"{place}.0.weight"] = folded[f"{place}.0.weight"] * scale[:, None, None, None]
        folded[f"{place}.0.bias"] = shift + scale * folded.get(f"{place}.0.bias", 0)
    return folded


def rename(state: Mapping[str, Tensor], layers: Mapping[str, str]) -> dict[str, Tensor]:
    """Each key with its start replaced as the table says."""
    renamed = {}
    for key, tensor in state.items():
        ours = key
        for pattern, replacement in layers.items():
            ours = re.sub(rf"^{pattern}", replacement, ours)
        renamed[ours] = tensor
    return renamed


def fill(network: NetworkT, state: dict[str, Tensor], name: str) -> NetworkT:
    """Put the numbers behind the backbone in their places; WeightsError where one is missing or too many."""
    try:
        missing, unknown = network.load_state_dict(state, strict=False)
    except RuntimeError as error:  # a layer has another shape
        raise WeightsError(f"these are not the weights of torchvision's {name}: {error}") from error
    wrong = [*(key for key in missing if not key.startswith(("backbone.", "boxes.backbone."))), *unknown]
    if wrong:
        raise WeightsError(f"these are not the weights of torchvision's {name}: {wrong[:3]}")
    return network.eval()
