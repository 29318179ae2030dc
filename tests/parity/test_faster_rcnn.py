"""Faster R-CNN compared with torchvision's, with the same weights, on real photos of mixed sizes."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn
from torchvision.models import detection

from boxmask.detectors.contract import Detector
from boxmask.weights import from_torchvision

ALL_SAMPLES = 10**6  # per image, so that nothing is sampled at random
LOSSES = {  # ours: theirs
    "rpn_objectness": "loss_objectness",
    "rpn_box": "loss_rpn_box_reg",
    "roi_class": "loss_classifier",
    "roi_box": "loss_box_reg",
}
RESNET = "fasterrcnn_resnet50_fpn"
NETWORKS = (RESNET, "fasterrcnn_mobilenet_v3_large_fpn", "fasterrcnn_mobilenet_v3_large_320_fpn")

Both = tuple[nn.Module, Detector]


@pytest.fixture(scope="module", params=NETWORKS)
def both(request: pytest.FixtureRequest) -> Both:
    """torchvision's network with random weights, and ours with the same weights."""
    torch.manual_seed(0)
    theirs = getattr(detection, request.param)(weights=None, weights_backbone=None, num_classes=5)
    with torch.no_grad():
        for module in theirs.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(std=0.1)
                module.running_var.uniform_(0.8, 1.2)
        if request.param == RESNET:
            for layer in theirs.backbone.fpn.layer_blocks:
                layer[0].weight.mul_(0.02)  # features of about 1, like trained ones
        else:
            spread_mobilenet(theirs)
        for layer in (theirs.rpn.head.cls_logits, theirs.roi_heads.box_predictor.cls_score):
            nn.init.normal_(layer.weight, std=0.05)  # spread scores, none saturated
    theirs.eval()
    return theirs, from_torchvision(request.param, theirs.state_dict())


def spread_mobilenet(theirs: nn.Module) -> None:
    """Let features of about 1 reach the heads, and objectness vary around the threshold for proposals."""
    for module in theirs.backbone.body.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.fill_(0.8)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    for layer in theirs.backbone.fpn.layer_blocks:
        layer[0].weight.mul_(8)
    theirs.rpn.head.cls_logits.bias.fill_(math.log(0.05 / 0.95))


@pytest.mark.slow
def test_same_boxes_scores_and_labels(
    both: Both, both_predict: Callable[..., list[tuple]], assert_same_detections: Callable[..., None]
) -> None:
    for found, expected in both_predict(*both):
        assert_same_detections(found, expected)


@pytest.mark.slow
def test_same_losses(
    both: Both,
    make_smaller: Callable[..., None],
    assert_same_losses: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs, ours = both
    make_smaller(*both)
    monkeypatch.setattr(theirs.rpn.fg_bg_sampler, "batch_size_per_image", ALL_SAMPLES)
    monkeypatch.setattr(theirs.roi_heads.fg_bg_sampler, "batch_size_per_image", ALL_SAMPLES)
    config = replace(ours.config, rpn_samples=ALL_SAMPLES, roi_samples=ALL_SAMPLES)
    monkeypatch.setattr(ours, "config", config)
    assert_same_losses(*both, LOSSES, first_label=1)
