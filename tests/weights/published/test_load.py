"""Published weights by name. The files have the right keys and random numbers, and come from this machine."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torchvision import models

import boxmask
from boxmask.cli.app import app
from boxmask.errors import WeightsError
from boxmask.weights.published.fetch import fetch_weights
from boxmask.weights.published.manifest import published_weights

LIGHT = "ssdlite320_mobilenet_v3_large"
SEGMENTER = "deeplabv3_mobilenet_v3_large"


@pytest.fixture
def offer(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it with a network for a server that offers torchvision's file of it, with random numbers."""

    def offer_weights(network: str, **options: bool) -> None:
        torch.manual_seed(0)
        theirs = models.get_model(network, weights=None, weights_backbone=None, **options)
        buffer = io.BytesIO()
        torch.save(theirs.state_dict(), buffer)
        name, content = f"torchvision/{network}", buffer.getvalue()
        file = server.offer(f"{network}.pth", content)
        entry = published_weights()[name]
        sha256 = hashlib.sha256(content).hexdigest()[:8]
        monkeypatch.setitem(published_weights(), name, replace(entry, address=file.address, sha256=sha256))

    return offer_weights


def test_a_detector_knows_cocos_classes(offer: Any, scene: Any, checkpoints: Path) -> None:
    offer(LIGHT)
    detector = boxmask.load(f"torchvision/{LIGHT}", "cpu")
    categories = models.get_model_weights(LIGHT).DEFAULT.meta["categories"]
    named = {name for name in categories[1:] if name != "N/A"}
    assert named <= set(detector.config.class_names)
    assert len(detector.config.class_names) == 90
    assert not detector.training
    detections = detector.predict(scene(1))
    assert set(detections.names) <= set(detector.config.class_names)
    assert (checkpoints / f"{LIGHT}.pth").is_file()


def test_a_segmenter_knows_vocs_classes(offer: Any) -> None:
    offer(SEGMENTER, aux_loss=True)
    segmenter = boxmask.load(f"torchvision/{SEGMENTER}", "cpu")
    assert (
        list(segmenter.config.class_names) == models.get_model_weights(SEGMENTER).DEFAULT.meta["categories"]
    )


def test_predict_takes_the_name(
    offer: Any, scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    offer(LIGHT)
    scene(1).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    command = ["predict", f"torchvision/{LIGHT}", "photo.png", "--out", "found"]
    assert app(command, result_action="return_value") == 0
    assert Image.open("found/photo.jpg").size == (160, 120)
    assert "downloading http://127.0.0.1" in capsys.readouterr().err
    boxmask.predict(f"torchvision/{LIGHT}", "photo.png", "again", device="cpu")
    assert Path("again/photo.jpg").is_file()


def test_names_that_cannot_be_loaded() -> None:
    with pytest.raises(
        WeightsError, match=r"timm/resnet18: .* of a backbone, .*train DATA --backbone resnet18"
    ):
        boxmask.load("timm/resnet18")
    with pytest.raises(WeightsError, match="torchvision/ssd: there are no such weights"):
        boxmask.load("torchvision/ssd")


def test_a_file_of_another_network(offer: Any, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(SEGMENTER)
    entry = published_weights()[f"torchvision/{SEGMENTER}"]
    other = replace(published_weights()[f"torchvision/{LIGHT}"], address=entry.address, sha256=entry.sha256)
    monkeypatch.setitem(published_weights(), other.name, other)
    with pytest.raises(WeightsError, match="these are not the weights of torchvision's ssdlite320"):
        boxmask.load(other.name, "cpu")


@pytest.mark.parametrize("name", [name for name in published_weights() if name.startswith("torchvision/")])
def test_torch_hub_reads_the_file_that_was_fetched(
    name: str, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file has torch hub's name in its cache, so that torchvision does not download it again."""
    buffer = io.BytesIO()
    torch.save({"weight": torch.arange(5.0)}, buffer)
    entry = published_weights()[name]
    file = server.offer(entry.address.rpartition("/")[2], buffer.getvalue())
    monkeypatch.setitem(published_weights(), name, replace(entry, address=file.address, sha256=file.sha256))
    fetch_weights(name)
    found = torch.hub.load_state_dict_from_url(entry.address, progress=False)
    assert torch.equal(found["weight"], torch.arange(5.0))
    assert len(server.requests) == 1
