"""Training that starts from published weights. The files have the right keys, and come from this machine."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision import models

import boxmask
from boxmask.errors import DiskFullError, WeightsError
from boxmask.models.table import make_config, model_entry
from boxmask.runs.recipe import Recipe
from boxmask.training.initialization import InitSources
from boxmask.weights.published.manifest import PublishedWeights, published_weights
from boxmask.weights.transfer import transfer_weights

LIGHT = ("torchvision/ssdlite320_mobilenet_v3_large", "torchvision/fasterrcnn_mobilenet_v3_large_320_fpn")
QUICK: dict[str, Any] = {"size": 64, "epochs": 1, "batch_size": 6, "workers": 0, "num_validations": 1}

Offer = Callable[..., PublishedWeights]


@pytest.fixture
def offer(server: Any, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Call it with a name for a server that offers a small file with the keys and shapes of the weights.

    All numbers of a tensor are the same, and are stored once.
    """

    def offer_weights(name: str, sha256: str | None = None) -> PublishedWeights:
        entry = published_weights()[name]
        with torch.device("meta"):
            network = models.get_model(entry.network, weights=None, weights_backbone=None)
        state = {key: torch.full((), 0.01).expand(t.shape) for key, t in network.state_dict().items()}
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getvalue()
        file = server.offer(f"{entry.network}.pth", content)
        sha256 = sha256 or hashlib.sha256(content).hexdigest()[:8]
        offered = replace(entry, address=file.address, file_name="", sha256=sha256)
        monkeypatch.setitem(published_weights(), name, offered)
        return offered

    return offer_weights


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, entry in published_weights().items() if entry.model])
def test_every_network_gives_all_parts_and_the_classes_that_both_know(name: str, offer: Offer) -> None:
    entry = offer(name)
    recipe = Recipe(init=name)
    sources = InitSources.from_recipe(recipe)
    resolved = sources.resolve(recipe)
    assert resolved.model == entry.model
    config = make_config(
        resolved.model,
        resolved.preset,
        class_names=("walnut", "person", "dog"),
        backbone=resolved.backbone,
        **resolved.option_values,
    )
    network = model_entry(resolved.model).build(config, None)
    report = transfer_weights(network, source=sources.source)
    assert all(part.origin == name for part in report.parts), report.parts
    assert (report.known_classes, report.new_classes) == (("person", "dog"), ("walnut",))


@pytest.mark.slow
@pytest.mark.parametrize("name", LIGHT)
def test_a_training_starts_from_the_light_ones(name: str, offer: Offer, demo: Path, tmp_path: Path) -> None:
    entry = offer(name)
    run = boxmask.train(demo, init=name, out=tmp_path / "run", **QUICK)
    assert run.finished
    assert (run.recipe.model, run.recipe.init) == (entry.model, name)
    assert run.model("cpu").config.backbone == "mobilenet_v3_large"


def test_a_download_with_another_checksum_starts_no_training(
    offer: Offer, demo: Path, tmp_path: Path, checkpoints: Path
) -> None:
    offer(LIGHT[0], sha256="00000000")
    with pytest.raises(WeightsError, match="checksum"):
        boxmask.train(demo, init=LIGHT[0], out=tmp_path / "run", **QUICK)
    assert not (tmp_path / "run").exists()
    assert not list(checkpoints.glob("*.pth"))


def test_a_download_that_is_cut_starts_no_training(
    offer: Offer, server: Any, demo: Path, tmp_path: Path
) -> None:
    offer(LIGHT[0])
    server.cut_after = 1000
    with pytest.raises(WeightsError, match="stopped"):
        boxmask.train(demo, init=LIGHT[0], out=tmp_path / "run", **QUICK)
    assert not (tmp_path / "run").exists()


def test_a_full_disk_starts_no_training(
    offer: Offer, demo: Path, tmp_path: Path, checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    offer(LIGHT[0])
    monkeypatch.setattr("boxmask.weights.download.receive.os.fsync", no_space)
    with pytest.raises(DiskFullError):
        boxmask.train(demo, init=LIGHT[0], out=tmp_path / "run", **QUICK)
    assert not (tmp_path / "run").exists()
    assert not list(checkpoints.glob("*.pth"))
