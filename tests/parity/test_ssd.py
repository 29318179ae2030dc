"""SSD and SSDLite compared with torchvision's, with the same weights, on real photos of mixed sizes."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torchvision.models import detection

from boxmask.detectors.contract import Detector
from boxmask.errors import WeightsError
from boxmask.weights import from_torchvision

LOSSES = {"ssd_class": "classification", "ssd_box": "bbox_regression"}  # ours: theirs
HEAD_SPREAD = {  # scale of the last layers' weights: spread scores, and boxes inside the photo
    "ssd300_vgg16": (0.1, 0.05),
    "ssdlite320_mobilenet_v3_large": (1.0, 0.3),
}

Both = tuple[nn.Module, Detector]


def randomize(network: nn.Module, spread: tuple[float, float]) -> None:
    """Random weights with which no map vanishes or explodes, and scores are well apart."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.8, 1.2)
            module.weight.fill_(0.8)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                module.bias.normal_(std=0.1)
    heads = (network.head.classification_head, network.head.regression_head)
    for head, factor in zip(heads, spread, strict=True):
        for predictor in head.module_list:
            [*_, last] = [m for m in predictor.modules() if isinstance(m, nn.Conv2d)]
            last.weight.mul_(factor)


@pytest.fixture(scope="module", params=list(HEAD_SPREAD))
def both(request: pytest.FixtureRequest) -> Both:
    """torchvision's network with random weights, and ours with the same weights."""
    torch.manual_seed(0)
    theirs = getattr(detection, request.param)(weights=None, weights_backbone=None, num_classes=5)
    with torch.no_grad():
        randomize(theirs, HEAD_SPREAD[request.param])
        if request.param == "ssd300_vgg16":
            theirs.backbone.features[0].weight.div_(64)  # its inputs are 0..255
    theirs.eval()
    return theirs, from_torchvision(request.param, theirs.state_dict())


@pytest.mark.slow
def test_same_boxes_scores_and_labels(
    both: Both, both_predict: Callable[..., list[tuple]], assert_same_detections: Callable[..., None]
) -> None:
    for found, expected in both_predict(*both):
        assert_same_detections(found, expected)


@pytest.mark.slow
def test_same_losses(both: Both, assert_same_losses: Callable[..., None]) -> None:
    assert_same_losses(*both, LOSSES, first_label=1)


@pytest.mark.parametrize("name", list(HEAD_SPREAD))
def test_weights_of_another_network_are_rejected(both: Both, name: str) -> None:
    state = both[0].state_dict()
    with pytest.raises(WeightsError, match=f"not the weights of torchvision's {name}: its heads are missing"):
        from_torchvision(name, {})
    matching = "features.0.13.0.weight" in " ".join(state)
    if matching != name.startswith("ssdlite"):
        with pytest.raises(WeightsError, match=f"not the weights of torchvision's {name}"):
            from_torchvision(name, state)
    else:
        incomplete = {key: x for key, x in state.items() if "extra.2" not in key}
        with pytest.raises(WeightsError, match=f"not the weights of torchvision's {name}"):
            from_torchvision(name, incomplete)


def test_class_names(both: Both) -> None:
    assert both[1].config.class_names == ("class 1", "class 2", "class 3", "class 4")
