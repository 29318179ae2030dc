"""What `boxmask export` writes predicts like the model that it was made from."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import boxmask
from boxmask.exporting.metadata import add_metadata
from boxmask.exporting.table import build_graph
from boxmask.models.table import make_config, model_entry
from boxmask.types import Classification, Detections, SegmentationMap
from boxmask.weights.checkpoint import BEST, CheckpointMetadata, save_checkpoint

NAMES = ("cat", "dog", "cow")
SMALL = {"backbone": "resnet18", "shorter_side": 64, "longer_side": 96}
MODELS: dict[str, dict[str, object]] = {
    "mask-rcnn": {**SMALL, "channels": 64, "rpn_channels": 64, "hidden": 64, "score_threshold": 0.01},
    "fast-rcnn": {"backbone": "vgg16", "shorter_side": 64, "longer_side": 96, "score_threshold": 0.01},
    "fcn": SMALL,
    "classifier": {**SMALL, "longer_side": 64},
}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((120, 90), Image.Resampling.BILINEAR).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def export(model: str, folder: Path) -> None:
    """A run with random weights, and its exported file."""
    torch.manual_seed(0)
    config = make_config(model, "default", class_names=NAMES, **MODELS[model])
    network = model_entry(model).build(config, None).eval()
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Linear | nn.Conv2d) and "backbone" not in name:
            nn.init.normal_(layer.weight, std=max(0.02, float(layer.weight.detach().std())))
    metadata = CheckpointMetadata(model, json.loads(json.dumps(asdict(config))))
    save_checkpoint(folder / BEST, network.state_dict(), metadata)
    proto = build_graph(network).model()  # type: ignore[arg-type]
    add_metadata(proto, network, folder)  # type: ignore[arg-type]
    (folder / "model.onnx").write_bytes(proto.SerializeToString())


@pytest.mark.parametrize("model", MODELS)
def test_the_same_result(model: str, tmp_path: Path, photo: Path) -> None:
    export(model, tmp_path)
    expected = boxmask.load(tmp_path, "cpu").predict(photo)
    found = boxmask.load(tmp_path / "model.onnx").predict(photo)
    assert (type(found), found.class_names, found.photo) == (type(expected), NAMES, photo)
    if isinstance(found, Detections):
        assert found.names == expected.names
        assert len(found) > 0
        np.testing.assert_allclose(found.boxes, expected.boxes, atol=0.1)
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-3)
        assert (found.masks is None) == (expected.masks is None) == (model == "fast-rcnn")
        if found.masks is not None:
            assert np.mean(found.masks.dense() != expected.masks.dense()) < 1e-3
    elif isinstance(found, SegmentationMap):
        assert np.mean(found.labels != expected.labels) < 1e-3
    else:
        assert isinstance(found, Classification)
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
