"""Pairs of one-stage detectors: torchvision's with random weights, and ours with the same."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn
from torchvision.models import detection

from boxmask.detectors.contract import Detector
from boxmask.weights import from_torchvision

SSDLITE = "ssdlite320_mobilenet_v3_large"
DENSE = {"dense_class": "classification", "dense_box": "bbox_regression"}  # what both sides call the losses
LOSSES = {
    "retinanet_resnet50_fpn": DENSE,
    "fcos_resnet50_fpn": {**DENSE, "dense_centreness": "bbox_ctrness"},
    SSDLITE: {"ssd_class": "classification", "ssd_box": "bbox_regression"},
}
MERGED = ("extra_layers.", "head.")  # where our SSDLite has a bias in the place of a frozen norm


def first_label(name: str) -> int:
    """torchvision's number of our first class: SSD's background comes before it."""
    return int(name == SSDLITE)


def pair(name: str, classes: tuple[str, ...], size: int) -> tuple[nn.Module, Detector]:
    """torchvision's detector and ours; both train the same parameters once theirs has its norms frozen.

    With ResNet-50 the first two of its five stages are frozen, as torchvision does with pretrained ones.
    """
    torch.manual_seed(0)
    numbers = {"weights": None, "weights_backbone": None, "num_classes": len(classes) + first_label(name)}
    if name == SSDLITE:
        theirs = detection.ssdlite320_mobilenet_v3_large(**numbers)
        ours = from_torchvision(name, theirs.state_dict(), classes)
        for key, parameter in ours.named_parameters():
            normed = key.startswith(MERGED) and not (key.startswith("head.") and key.endswith(".2.bias"))
            parameter.requires_grad_(not (normed and key.endswith("bias")))
    else:
        longer = round(size * 1.667)
        theirs = getattr(detection, name)(**numbers, min_size=size, max_size=longer)
        _quieten(theirs)
        ours = from_torchvision(name, theirs.state_dict(), classes)
        ours.config = replace(ours.config, shorter_side=size, longer_side=longer)
        ours.freeze(1)
        if name.startswith("fcos"):
            ours.scales.requires_grad_(False)  # torchvision has none
    return theirs, ours.to(memory_format=torch.channels_last)


@torch.no_grad()
def _quieten(theirs: nn.Module) -> None:
    """Features of about one, as trained ones are; and what is not trained."""
    for layer in theirs.backbone.fpn.layer_blocks:
        layer[0].weight.mul_(0.02)
    for part in (theirs.backbone.body.conv1, theirs.backbone.body.layer1):
        part.requires_grad_(False)


def trained(model: nn.Module) -> int:
    """How many numbers learn."""
    return sum(one.numel() for one in model.parameters() if one.requires_grad)
