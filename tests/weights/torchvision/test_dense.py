"""torchvision's RetinaNet and FCOS with our keys. Equal results are tested in tests/parity."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.detection import fcos_resnet50_fpn, retinanet_resnet50_fpn, retinanet_resnet50_fpn_v2

from boxmask.errors import WeightsError
from boxmask.weights import from_torchvision

V1, V2, FCOS = "retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2", "fcos_resnet50_fpn"
NETWORKS: dict[str, Callable[..., nn.Module]] = {
    V1: retinanet_resnet50_fpn,
    V2: retinanet_resnet50_fpn_v2,
    FCOS: fcos_resnet50_fpn,
}
ANCHORS_PER_CELL = {V1: 9, V2: 9, FCOS: 1}
LOGITS = "head.classification_head.cls_logits.weight"


@pytest.fixture(scope="module", params=list(NETWORKS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def state(name: str) -> Mapping[str, Tensor]:
    """Of three classes and the background."""
    state: Mapping[str, Tensor] = NETWORKS[name](
        weights=None, weights_backbone=None, num_classes=4
    ).state_dict()
    return state


def test_the_background_is_left_out(name: str, state: Mapping[str, Tensor]) -> None:
    ours = from_torchvision(name, state)
    assert ours.config.class_names == ("class 1", "class 2", "class 3")
    assert not ours.training
    columns = state[LOGITS].unflatten(0, (ANCHORS_PER_CELL[name], 4))
    found = ours.state_dict()["class_head.last.weight"].unflatten(0, (ANCHORS_PER_CELL[name], 3))
    assert torch.equal(found, columns[:, 1:])


def test_a_named_background_is_kept(name: str, state: Mapping[str, Tensor]) -> None:
    ours = from_torchvision(name, state, ("nothing", "cat", "dog", "owl"))
    assert ours.config.class_names == ("nothing", "cat", "dog", "owl")
    assert torch.equal(ours.state_dict()["class_head.last.weight"], state[LOGITS])
    assert from_torchvision(name, state, ("cat", "dog", "owl")).config.class_names == ("cat", "dog", "owl")


@pytest.mark.parametrize("names", [("cat", "dog"), tuple("abcde")])
def test_a_wrong_number_of_names_is_rejected(
    name: str, state: Mapping[str, Tensor], names: tuple[str, ...]
) -> None:
    with pytest.raises(
        WeightsError, match=rf"class_names: these weights have 3 classes, found {len(names)} names"
    ):
        from_torchvision(name, state, names)


def test_coarse_levels_and_towers_are_renamed(name: str, state: Mapping[str, Tensor]) -> None:
    ours = from_torchvision(name, state).state_dict()
    assert torch.equal(ours["fpn.strided.0.weight"], state["backbone.fpn.extra_blocks.p6.weight"])
    assert torch.equal(ours["fpn.strided.1.bias"], state["backbone.fpn.extra_blocks.p7.bias"])
    theirs = "conv.9.weight" if name == FCOS else "conv.3.0.weight"
    assert torch.equal(ours["class_head.tower.3.0.weight"], state[f"head.classification_head.{theirs}"])
    box_tower = "box_tower" if name == FCOS else "box_head.tower"
    assert torch.equal(ours[f"{box_tower}.3.0.weight"], state[f"head.regression_head.{theirs}"])


def test_the_keys_of_the_file_that_torchvision_offers() -> None:
    """It was written before the towers had norms: conv.0, conv.2, conv.4 and conv.6."""
    state = retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=4).state_dict()
    old = {re.sub(r"conv\.(\d)\.0\.", lambda m: f"conv.{2 * int(m[1])}.", k): v for k, v in state.items()}
    old = {re.sub(r"(inner|layer)_blocks\.(\d)\.0\.", r"\1_blocks.\2.", k): v for k, v in old.items()}
    assert "head.regression_head.conv.6.weight" in old
    found, expected = (from_torchvision(V1, one).state_dict() for one in (old, state))
    assert all(torch.equal(found[key], expected[key]) for key in expected)


@pytest.mark.parametrize(
    "missing", [LOGITS, "head.regression_head.bbox_reg.bias", "backbone.body.conv1.weight"]
)
def test_a_missing_tensor(name: str, state: Mapping[str, Tensor], missing: str) -> None:
    with pytest.raises(WeightsError, match=r"these (are not the )?weights"):
        from_torchvision(name, {key: value for key, value in state.items() if key != missing})


def test_weights_of_another_network_are_rejected(state: Mapping[str, Tensor], name: str) -> None:
    for other in NETWORKS:
        if other != name:
            with pytest.raises(WeightsError, match="these are not the weights of torchvision's"):
                from_torchvision(other, state)
