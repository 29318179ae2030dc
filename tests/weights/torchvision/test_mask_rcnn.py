"""Both of torchvision's Mask R-CNNs under our names; that they compute the same is asked in tests/parity."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor
from torchvision.models.detection import maskrcnn_resnet50_fpn, maskrcnn_resnet50_fpn_v2

from boxmask.detectors.mask_rcnn import MaskRCNN
from boxmask.errors import WeightsError
from boxmask.weights import from_torchvision
from boxmask.weights.torchvision.key_table import fold_norms

FIRST, SECOND = "maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2"


@pytest.fixture(scope="module")
def states() -> dict[str, Mapping[str, Tensor]]:
    """Of three classes and the background."""
    builds = {FIRST: maskrcnn_resnet50_fpn, SECOND: maskrcnn_resnet50_fpn_v2}
    options = {"weights": None, "weights_backbone": None, "num_classes": 4}
    return {name: build(**options).state_dict() for name, build in builds.items()}


def test_every_number_finds_its_place(states: dict[str, Mapping[str, Tensor]]) -> None:
    state, detector = states[FIRST], from_torchvision(FIRST, states[FIRST])
    assert isinstance(detector, MaskRCNN)
    ours, predictor = detector.state_dict(), "roi_heads.mask_predictor"
    assert torch.equal(ours["mask_head.logits.weight"], state[f"{predictor}.mask_fcn_logits.weight"][1:])
    assert torch.equal(ours["mask_head.deconv.weight"], state[f"{predictor}.conv5_mask.weight"])
    assert torch.equal(ours["mask_head.convs.3.0.bias"], state["roi_heads.mask_head.3.0.bias"])
    assert torch.equal(ours["boxes.box_head.fc7.weight"], state["roi_heads.box_head.fc7.weight"])


def test_the_names_in_the_file_that_torchvision_offers(states: dict[str, Mapping[str, Tensor]]) -> None:
    """Older ones: one floor less in the pyramid, and numbered from one in the mask branch."""
    old = {}
    for key, tensor in states[FIRST].items():
        key = key.replace("rpn.head.conv.0.0.", "rpn.head.conv.")
        for floor in range(4):
            key = key.replace(f"mask_head.{floor}.0.", f"mask_head.mask_fcn{floor + 1}.")
            for block in ("inner", "layer"):
                key = key.replace(f"fpn.{block}_blocks.{floor}.0.", f"fpn.{block}_blocks.{floor}.")
        old[key] = tensor
    assert set(old) != set(states[FIRST])
    expected = from_torchvision(FIRST, states[FIRST]).state_dict()
    for key, tensor in from_torchvision(FIRST, old).state_dict().items():
        assert torch.equal(tensor, expected[key])


def test_a_norm_becomes_part_of_its_convolution() -> None:
    torch.manual_seed(0)
    conv, norm = torch.nn.Conv2d(3, 4, 3, bias=False), torch.nn.BatchNorm2d(4).eval()
    torch.nn.init.normal_(norm.running_mean)
    torch.nn.init.uniform_(norm.running_var, 0.5, 2)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    both = torch.nn.Sequential(conv, norm)
    folded = fold_norms({f"a.{key}": tensor for key, tensor in both.state_dict().items()}, None)
    assert set(folded) == {"a.0.weight", "a.0.bias"}
    x = torch.randn(2, 3, 5, 5)
    found = torch.nn.functional.conv2d(x, folded["a.0.weight"], folded["a.0.bias"])
    torch.testing.assert_close(found, both(x))


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        (FIRST, "roi_heads.mask_predictor.conv5_mask.bias"),
        (FIRST, "roi_heads.box_predictor.bbox_pred.weight"),
        (SECOND, "roi_heads.mask_head.2.1.running_var"),
        (SECOND, "rpn.head.conv.1.0.weight"),
        (SECOND, "backbone.fpn.layer_blocks.1.1.weight"),
    ],
)
def test_a_missing_tensor(states: dict[str, Mapping[str, Tensor]], name: str, gone: str) -> None:
    with pytest.raises(WeightsError, match=f"not the weights of torchvision's {name}"):
        from_torchvision(name, {key: tensor for key, tensor in states[name].items() if key != gone})


def test_the_other_network(states: dict[str, Mapping[str, Tensor]]) -> None:
    for name, other in ((FIRST, SECOND), (SECOND, FIRST)):
        with pytest.raises(WeightsError, match=f"not the weights of torchvision's {name}"):
            from_torchvision(name, states[other])
        with pytest.raises(WeightsError, match="not the weights of torchvision's fasterrcnn"):
            from_torchvision(name.replace("mask", "faster"), states[name])
