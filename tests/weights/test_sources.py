"""What --init may name, and how a file is recognized by its keys."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torchvision import models

from boxmask.errors import CheckpointError, WeightsError
from boxmask.weights.published.manifest import published_weights
from boxmask.weights.sources import read_source, recognize_backbone
from boxmask.weights.torchvision.convert import CONVERTERS
from boxmask.weights.torchvision.recognize import recognize_network


@pytest.mark.parametrize("name", CONVERTERS)
def test_torchvisions_networks_are_recognized_by_their_keys(name: str) -> None:
    with torch.device("meta"):
        network = models.get_model(name, weights=None, weights_backbone=None)
    address = published_weights()[f"torchvision/{name}"].address
    assert recognize_network(network.state_dict(), address.rpartition("/")[2]) == name


@pytest.mark.parametrize(
    ("name", "options"),
    [("resnet18", {}), ("vgg16", {}), ("lraspp_mobilenet_v3_large", {"weights_backbone": None})],
)
def test_other_networks_of_torchvision_are_not(name: str, options: dict[str, None]) -> None:
    with torch.device("meta"):
        network = models.get_model(name, weights=None, **options)
    assert recognize_network(network.state_dict()) is None


@pytest.mark.parametrize("name", [name for name in published_weights() if name.startswith("timm/")])
def test_timms_networks_are_recognized_by_their_keys(name: str) -> None:
    backbone = name.removeprefix("timm/")
    with torch.device("meta"):
        network = timm.create_model(backbone, num_classes=3)
    assert recognize_backbone(network.state_dict()) == backbone


def test_a_file_of_a_network_that_is_trained_with_torchvision(tmp_path: Path) -> None:
    network = models.get_model(
        "ssdlite320_mobilenet_v3_large", weights=None, weights_backbone=None, num_classes=4
    )
    torch.save(network.state_dict(), tmp_path / "mine.pth")
    source = read_source(str(tmp_path / "mine.pth"))
    assert (source.model, source.class_names) == ("ssd", ("class 1", "class 2", "class 3"))
    assert source.origin == str(tmp_path / "mine.pth")


def test_a_file_of_timms_weights(tmp_path: Path) -> None:
    save_file(timm.create_model("resnet18", num_classes=3).state_dict(), tmp_path / "mine.safetensors")
    source = read_source(str(tmp_path / "mine.safetensors"))
    assert (source.model, source.backbone) == ("", "resnet18")


def test_a_file_of_the_efficientnet_package() -> None:
    from boxmask.weights.imagenet import bundled_file

    source = read_source(str(bundled_file()))
    assert (source.backbone, "conv_stem.weight" in source.state) == ("tf_efficientnet_lite0", True)


def test_weights_of_an_unknown_network_are_described(tmp_path: Path) -> None:
    save_file({"encoder.weight": torch.zeros(1), "zebra": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(
        WeightsError, match=r"x\.safetensors: these weights \(2 tensors, the first encoder.weight\)"
    ):
        read_source(str(tmp_path / "x.safetensors"))


def test_a_name_without_its_publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=r"The published weights are called torchvision/ssd300_vgg16\."):
        read_source("ssd300_vgg16")
    with pytest.raises(WeightsError, match="there are no such weights"):
        read_source("torchvision/ssd")
