"""RetinaNet and FCOS compared with torchvision's, with the same weights, on real photos of mixed sizes."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import detection

from boxmask.detectors.contract import Detector
from boxmask.detectors.fcos import FCOS
from boxmask.types import Detections
from boxmask.weights import from_torchvision

LOSSES = {"dense_class": "classification", "dense_box": "bbox_regression"}  # ours: theirs
FCOS_LOSSES = {"dense_centerness": "bbox_ctrness"}
NAMES = ("nothing", "one", "two", "three", "four")  # with the background, which random weights predict too
NETWORKS = ("retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2", "fcos_resnet50_fpn")
Both = tuple[nn.Module, Detector]


@pytest.fixture(scope="module", params=NETWORKS)
def both(request: pytest.FixtureRequest) -> Both:
    """torchvision's network with random weights, and ours with the same weights."""
    torch.manual_seed(0)
    build = getattr(detection, request.param)
    theirs = randomize(build(weights=None, weights_backbone=None, num_classes=len(NAMES)))
    if request.param.startswith("fcos"):
        nn.init.constant_(
            theirs.head.regression_head.bbox_reg.bias, 2.0
        )  # in strides: large, overlapping boxes
    else:
        theirs.head.regression_head.bbox_reg.weight.data.mul_(0.1)
    return theirs, from_torchvision(request.param, theirs.state_dict(), NAMES)


@torch.no_grad()
def randomize(theirs: nn.Module) -> nn.Module:
    """Random weights with which every part matters and scores are spread, none saturated."""
    generator = torch.Generator().manual_seed(0)
    for name, module in theirs.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1, generator=generator)
            module.running_var.uniform_(0.8, 1.2, generator=generator)
        elif isinstance(module, nn.GroupNorm):
            module.bias.normal_(std=0.1, generator=generator)
        elif isinstance(module, nn.Conv2d) and name.startswith("head."):
            fan_in = module.weight[0].numel()
            module.weight.normal_(std=(2 / fan_in) ** 0.5, generator=generator)
    for layer in theirs.backbone.fpn.layer_blocks:
        layer[0].weight.mul_(0.02)  # features of about 1, like trained ones
    theirs.head.classification_head.cls_logits.bias.fill_(-2.0)
    return theirs.eval()


def assert_same(found: Detections, expected: dict[str, Tensor]) -> None:
    """Check for equal boxes, scores and labels; the order may differ where scores differ by rounding."""
    assert len(found) == len(expected["boxes"])
    torch.testing.assert_close(torch.from_numpy(found.scores), expected["scores"], atol=1e-5, rtol=1e-5)
    apart = (torch.from_numpy(found.boxes)[:, None] - expected["boxes"]).abs().amax(2)
    apart = apart + 1e3 * ((torch.from_numpy(found.scores)[:, None] - expected["scores"]).abs() > 1e-5)
    apart = apart + 1e3 * (torch.from_numpy(found.labels)[:, None] != expected["labels"])
    nearest, row = apart.min(1)
    assert nearest.amax() < 0.01
    assert len(row.unique()) == len(row)
    assert (row == torch.arange(len(row))).float().mean() > 0.95


@pytest.mark.slow
def test_same_boxes_scores_and_labels(both: Both, both_predict: Callable[..., list[tuple]]) -> None:
    for found, expected in both_predict(*both):
        assert_same(found, expected)


@pytest.mark.slow
def test_same_losses(
    both: Both, make_smaller: Callable[..., None], assert_same_losses: Callable[..., None]
) -> None:
    make_smaller(*both)
    assert_same_losses(
        *both, {**LOSSES, **FCOS_LOSSES} if isinstance(both[1], FCOS) else LOSSES, first_label=0
    )
