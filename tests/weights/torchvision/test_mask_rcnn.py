"""Both of torchvision's Mask R-CNNs with our keys. Equal results are tested in tests/parity."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor
from torchvision.models.detection import maskrcnn_resnet50_fpn, maskrcnn_resnet50_fpn_v2

from boxmask.detectors.mask_rcnn import MaskRCNN
from boxmask.errors import WeightsError
from boxmask.weights import from_torchvision

V1, V2 = "maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2"


@pytest.fixture(scope="module")
def states() -> dict[str, Mapping[str, Tensor]]:
    """Of three classes and the background."""
    builds = {V1: maskrcnn_resnet50_fpn, V2: maskrcnn_resnet50_fpn_v2}
    options = {"weights": None, "weights_backbone": None, "num_classes": 4}
    return {name: build(**options).state_dict() for name, build in builds.items()}


def test_tensors_are_renamed(states: dict[str, Mapping[str, Tensor]]) -> None:
    state, detector = states[V1], from_torchvision(V1, states[V1])
    assert isinstance(detector, MaskRCNN)
    ours, predictor = detector.state_dict(), "roi_heads.mask_predictor"
    assert torch.equal(ours["mask_head.logits.weight"], state[f"{predictor}.mask_fcn_logits.weight"][1:])
    assert torch.equal(ours["mask_head.deconv.weight"], state[f"{predictor}.conv5_mask.weight"])
    assert torch.equal(ours["mask_head.convs.3.0.bias"], state["roi_heads.mask_head.3.0.bias"])
    assert torch.equal(ours["boxes.box_head.fc7.weight"], state["roi_heads.box_head.fc7.weight"])


def test_the_keys_of_the_file_that_torchvision_offers(states: dict[str, Mapping[str, Tensor]]) -> None:
    """Older keys: one level less in the pyramid, and numbered from 1 in the mask head."""
    old = {}
    for key, tensor in states[V1].items():
        key = key.replace("rpn.head.conv.0.0.", "rpn.head.conv.")
        for index in range(4):
            key = key.replace(f"mask_head.{index}.0.", f"mask_head.mask_fcn{index + 1}.")
            for block in ("inner", "layer"):
                key = key.replace(f"fpn.{block}_blocks.{index}.0.", f"fpn.{block}_blocks.{index}.")
        old[key] = tensor
    assert set(old) != set(states[V1])
    expected = from_torchvision(V1, states[V1]).state_dict()
    for key, tensor in from_torchvision(V1, old).state_dict().items():
        assert torch.equal(tensor, expected[key])


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        (V1, "roi_heads.mask_predictor.conv5_mask.bias"),
        (V1, "roi_heads.box_predictor.bbox_pred.weight"),
        (V2, "roi_heads.mask_head.2.1.running_var"),
        (V2, "rpn.head.conv.1.0.weight"),
        (V2, "backbone.fpn.layer_blocks.1.1.weight"),
    ],
)
def test_a_missing_tensor(states: dict[str, Mapping[str, Tensor]], name: str, missing: str) -> None:
    with pytest.raises(WeightsError, match=f"not the weights of torchvision's {name}"):
        from_torchvision(name, {key: tensor for key, tensor in states[name].items() if key != missing})


def test_weights_of_the_other_network_are_rejected(states: dict[str, Mapping[str, Tensor]]) -> None:
    for name, other in ((V1, V2), (V2, V1)):
        with pytest.raises(WeightsError, match=f"not the weights of torchvision's {name}"):
            from_torchvision(name, states[other])
        with pytest.raises(WeightsError, match="not the weights of torchvision's fasterrcnn"):
            from_torchvision(name.replace("mask", "faster"), states[name])
