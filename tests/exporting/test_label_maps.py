"""Segmenters and classifiers give the same results as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from boxmask.exporting.parity.check import compare_batch
from boxmask.exporting.parity.photos import NamedPhoto
from boxmask.exporting.session import Session
from boxmask.exporting.table import build_graph
from boxmask.models.table import AnyModel, make_config, model_entry
from boxmask.pipeline.segmentation import inference

NAMES = ("background", "red", "blue")
SMALL: dict[str, dict[str, object]] = {
    "fcn": {"backbone": "resnet18", "shorter_side": 64, "longer_side": 96},
    "unet": {"backbone": "resnet18", "shorter_side": 64, "longer_side": 96, "channels": (32, 16, 16, 16)},
    "deeplab-v3": {"backbone": "resnet18", "shorter_side": 64, "longer_side": 96},
    "classifier": {"backbone": "resnet18", "shorter_side": 64, "longer_side": 64},
}


def build(model: str, **options: object) -> AnyModel:
    torch.manual_seed(0)
    config = make_config(model, "default", class_names=NAMES, **{**SMALL[model], **options})
    network = model_entry(model).build(config, None).eval()
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d) and layer.weight.shape[0] == len(NAMES):
            nn.init.normal_(layer.weight, std=0.5)
    return network  # type: ignore[return-value]


@pytest.fixture(params=list(SMALL), scope="module")
def model(request: pytest.FixtureRequest) -> AnyModel:
    return build(request.param)


@pytest.fixture(scope="module")
def session(model: AnyModel, tmp_path_factory: pytest.TempPathFactory) -> Session:
    return export(model, tmp_path_factory.mktemp("export"))


def export(model: AnyModel, folder: Path) -> Session:
    path = folder / "model.onnx"
    path.write_bytes(build_graph(model).model().SerializeToString())
    return Session(path)


def photo(size: tuple[int, int]) -> NamedPhoto:
    pixels = np.random.default_rng(sum(size)).integers(0, 256, (*size, 3)).astype(np.uint8)
    pixels[size[0] // 2 :, : size[1] // 2] = (200, 30, 30)
    return NamedPhoto(str(size), pixels)


SIZES = [(80, 120), (130, 70), (64, 64), (1, 1), (200, 31), (63, 97)]


@pytest.mark.parametrize("size", SIZES)
def test_a_photo_alone(model: AnyModel, session: Session, size: tuple[int, int]) -> None:
    differences = compare_batch(session, model, [photo(size)])
    assert differences.pixels < 0.001
    assert differences.score < 1e-5


def test_photos_in_a_batch_give_the_same_as_alone(model: AnyModel, session: Session) -> None:
    differences = compare_batch(session, model, [photo(size) for size in SIZES[:4]])
    assert differences.compared == 4
    assert differences.pixels < 0.001
    assert differences.score < 1e-5


def test_large_label_maps_are_computed_in_strips(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("boxmask.exporting.segmenters.segmenter.MAX_LOGITS", 3000)
    monkeypatch.setattr(inference, "MAX_LOGITS", 3000)
    fcn = build("fcn")
    assert compare_batch(export(fcn, tmp_path), fcn, [photo((101, 83))]).pixels < 0.001


@pytest.mark.parametrize("size", [(64, 64), (101, 83), (30, 200), (1, 1), (65, 129)])
def test_segmenters_that_work_in_tiles(tiled: tuple[AnyModel, Session], size: tuple[int, int]) -> None:
    model, session = tiled
    assert compare_batch(session, model, [photo(size), photo((70, 40))]).pixels < 0.001


@pytest.fixture(scope="module")
def tiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[AnyModel, Session]:
    model = build("fcn", tile=64, tile_overlap=0.3)
    return model, export(model, tmp_path_factory.mktemp("export"))
