"""VGG's fully connected layers fc6 and fc7, which several papers start from.

R-CNN, Fast and Faster R-CNN use them as the box head (Fast R-CNN, section 2.1), FCN turns them into
convolutions (section 4.1), and SSD subsamples them (section 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

VGG_CLASSIFIER = {"fc6": "pre_logits.fc1", "fc7": "pre_logits.fc2"}  # the papers' names: timm's keys


def vgg_layer(weights: Mapping[str, Tensor], name: str, shape: Sequence[int]) -> tuple[Tensor, Tensor] | None:
    """Weight, reshaped to `shape`, and bias of layer "fc6" or "fc7"; None if missing or of another size.

    weights: a state dict of timm's VGG
    """
    key = VGG_CLASSIFIER[name]
    weight = weights.get(f"{key}.weight")
    if weight is None or weight.numel() != torch.Size(shape).numel():
        return None
    return weight.reshape(tuple(shape)), weights[f"{key}.bias"]


@torch.no_grad()
def load_vgg_classifier(layers: Sequence[nn.Module], weights: Mapping[str, Tensor] | None) -> None:
    """Initialize fc6 and fc7 from a pretrained VGG, where `weights` has them and they fit.

    layers: fc6 and fc7, linear or convolutional; modules of other kinds are skipped
    """
    for layer, name in zip(layers, VGG_CLASSIFIER, strict=False):
        if not isinstance(layer, nn.Linear | nn.Conv2d):
            continue
        pretrained = vgg_layer(weights or {}, name, layer.weight.shape)
        if pretrained is not None:
            layer.weight.copy_(pretrained[0])
            if layer.bias is not None:
                layer.bias.copy_(pretrained[1])
