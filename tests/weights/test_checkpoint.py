"""Checkpoints load completely or are rejected with the file's name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.errors import CheckpointError, UsageError
from boxmask.models.table import make_config, model_entry
from boxmask.weights import checkpoint
from boxmask.weights.checkpoint import (
    CheckpointMetadata,
    checkpoint_path,
    is_checkpoint,
    load_detector,
    load_model,
    read_checkpoint,
    save_checkpoint,
)

CONFIG = FasterRCNNConfig(("cat", "Löwe"), "test_resnet", channels=16, rpn_channels=16, hidden=16)
TENSORS = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.tensor([7])}
METADATA = CheckpointMetadata(
    "faster-rcnn", asdict(CONFIG), "0123", {"torch": "2"}, {"AP50": 0.5}, {"epoch": 3}
)


@pytest.fixture(scope="module")
def detector() -> FasterRCNN:
    torch.manual_seed(0)
    return FasterRCNN(CONFIG)


@pytest.fixture
def saved(tmp_path: Path, detector: FasterRCNN) -> Path:
    path = tmp_path / "best.safetensors"
    save_checkpoint(path, detector.state_dict(), METADATA)
    return path


def test_tensors_and_metadata_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, TENSORS, METADATA)
    tensors, metadata = read_checkpoint(path)
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[key], TENSORS[key]) for key in TENSORS)
    assert (metadata.model, metadata.fingerprint, metadata.metrics) == (
        METADATA.model,
        METADATA.fingerprint,
        METADATA.metrics,
    )
    assert (metadata.versions, metadata.training) == (METADATA.versions, METADATA.training)
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]


def test_a_detector_round_trips(saved: Path, detector: FasterRCNN) -> None:
    loaded = load_detector(saved)
    assert loaded.config == CONFIG
    assert not loaded.training
    state = loaded.state_dict()
    assert state.keys() == detector.state_dict().keys()
    assert all(torch.equal(state[key], value) for key, value in detector.state_dict().items())


def test_a_run_folder_means_its_best_checkpoint_or_else_the_last(tmp_path: Path, saved: Path) -> None:
    assert checkpoint_path(saved) == saved
    assert checkpoint_path(tmp_path) == saved
    (tmp_path / "last.safetensors").write_bytes(saved.read_bytes())
    assert checkpoint_path(tmp_path) == saved
    saved.unlink()
    assert checkpoint_path(tmp_path) == tmp_path / "last.safetensors"
    assert load_detector(str(tmp_path)).config == CONFIG


# ---------------------------------------------------------------- every kind of model

SMALL: dict[str, dict[str, Any]] = {
    "mask-rcnn": {"channels": 16, "rpn_channels": 16, "hidden": 16, "mask_channels": 8},
    "fcn": {"hidden": ((16, 3),), "class_weights": (1.0, 2.5)},
    "unet": {"channels": (16, 16, 8, 8)},
    "deeplab-v3": {"channels": 16},
    "classifier": {},
}


def built(model: str) -> Any:
    config = make_config(
        model, "default", class_names=("cat", "Löwe"), backbone="test_resnet", **SMALL[model]
    )
    return model_entry(model).build(config, None)


def written(path: Path, model: str) -> Any:
    network = built(model)
    save_checkpoint(path, network.state_dict(), CheckpointMetadata(model, asdict(network.config)))
    return network


@pytest.mark.parametrize("model", SMALL)
def test_every_kind_of_model_round_trips(tmp_path: Path, model: str) -> None:
    network = written(tmp_path / "best.safetensors", model)
    loaded = load_model(tmp_path)
    assert type(loaded) is type(network)
    assert loaded.config == network.config
    assert not loaded.training
    state = network.state_dict()
    assert all(torch.equal(tensor, state[key]) for key, tensor in loaded.state_dict().items())


@pytest.mark.parametrize("model", ["unet", "classifier"])
def test_load_detector_rejects_other_models(tmp_path: Path, model: str) -> None:
    written(tmp_path / "best.safetensors", model)
    with pytest.raises(UsageError, match="this is not a detector") as caught:
        load_detector(tmp_path)
    assert str(caught.value).startswith(str(tmp_path))


def test_a_device_that_is_not_there(saved: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    for device in ("cuda", "toaster"):
        with pytest.raises(UsageError, match=rf"--device {device}: cannot be used here .*Use auto or cpu\."):
            load_model(saved, device)


def test_is_checkpoint_reads_the_header(saved: Path, tmp_path: Path) -> None:
    assert is_checkpoint(saved)
    save_file({"a": torch.ones(2)}, tmp_path / "plain.safetensors")
    save_file({"a": torch.ones(2)}, tmp_path / "other.safetensors", metadata={"format": "pt"})
    (tmp_path / "text.txt").write_text("not a checkpoint")
    (tmp_path / "empty").write_bytes(b"")
    torch.save(TENSORS, tmp_path / "torch.pth")
    for name in ("plain.safetensors", "other.safetensors", "text.txt", "empty", "torch.pth", "gone", "."):
        assert not is_checkpoint(tmp_path / name), name


def test_a_folder_without_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint in this folder"):
        load_detector(tmp_path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.safetensors: there is no such checkpoint"):
        load_detector(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file(saved: Path, part: float) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(CheckpointError, match=r"best\.safetensors: this checkpoint is damaged or incomplete"):
        load_detector(saved)


def test_a_file_of_another_format(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "torch.pth")
    (tmp_path / "text.txt").write_text("not a checkpoint")
    Image.new("RGB", (9, 9)).save(tmp_path / "photo.jpg")
    kinds = {
        "torch.pth": "a zip archive, as torch",
        "text.txt": "a text file",
        "photo.jpg": r"a photo \(JPEG\)",
    }
    for name, kind in kinds.items():
        with pytest.raises(CheckpointError, match=rf"{name}: this is {kind}.*, not a checkpoint\."):
            load_detector(tmp_path / name)


def test_weights_that_are_not_finite_are_refused_by_name(saved: Path) -> None:
    tensors, metadata = read_checkpoint(saved)
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    tensors[name].view(-1)[0] = float("nan")
    save_checkpoint(saved, tensors, metadata)
    with pytest.raises(CheckpointError, match=f"{name} holds values that are not finite"):
        load_detector(saved)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_safetensors_without_our_metadata(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "other.safetensors", metadata=metadata)
    with pytest.raises(CheckpointError, match=r"other\.safetensors: these are not weights of a boxmask"):
        load_detector(tmp_path / "other.safetensors")


DAMAGED_METADATA = {
    "": "Expecting value",
    "{": "Expecting property name",
    "[]": "expected a JSON object, found list",
    "3": "expected a JSON object, found int",
    "{}": "missing field 'model'",
    '{"model": "faster-rcnn"}': "missing field 'config'",
    '{"model": "faster-rcnn", "config": {}, "epoch": 3}': "unknown field 'epoch'",
    '{"model": "faster-rcnn", "config": []}': "config: expected dict, found list",
    '{"model": 3, "config": {}}': "model: expected str, found int",
    '{"model": "faster-rcnn", "config": {}, "metrics": null}': "metrics: expected dict, found NoneType",
}


@pytest.mark.parametrize(("text", "reason"), DAMAGED_METADATA.items())
def test_damaged_metadata(tmp_path: Path, text: str, reason: str) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "x.safetensors", metadata={"boxmask": text})
    with pytest.raises(
        CheckpointError, match=rf"x\.safetensors: the checkpoint's metadata is damaged \({reason}"
    ):
        load_detector(tmp_path / "x.safetensors")


CONFIG_JSON = json.loads(json.dumps(asdict(CONFIG)))
UNFIT_METADATA = {
    "unknown model": (replace(METADATA, model="r2d2"), "choose from: rcnn, fast-rcnn, faster-rcnn"),
    "unknown option": (
        replace(METADATA, config={**CONFIG_JSON, "odd": 1}),
        r"unknown or missing options \['odd'\]",
    ),
    "missing option": (
        replace(METADATA, config={k: v for k, v in CONFIG_JSON.items() if k != "pool_size"}),
        r"unknown or missing options \['pool_size'\]",
    ),
    "another backbone": (replace(METADATA, config={**CONFIG_JSON, "backbone": "resnet18"}), "body"),
    "other sizes": (replace(METADATA, config={**CONFIG_JSON, "hidden": 8}), "size mismatch"),
    "other type": (
        replace(METADATA, config={**CONFIG_JSON, "class_names": 4}),
        "class_names: expected tuple",
    ),
    "no anchors": (replace(METADATA, config={**CONFIG_JSON, "anchor_sizes": []}), "anchor_sizes: expected"),
}


@pytest.mark.parametrize(("metadata", "message"), UNFIT_METADATA.values(), ids=list(UNFIT_METADATA))
def test_metadata_that_does_not_fit(
    tmp_path: Path, detector: FasterRCNN, metadata: CheckpointMetadata, message: str
) -> None:
    save_checkpoint(tmp_path / "x.safetensors", detector.state_dict(), metadata)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_detector(tmp_path / "x.safetensors")
    assert str(tmp_path / "x.safetensors") in str(caught.value)
    assert "Use another checkpoint" in str(caught.value)


def test_a_missing_and_an_unknown_tensor(tmp_path: Path, detector: FasterRCNN) -> None:
    state = detector.state_dict()
    fewer = {key: value for key, value in state.items() if key != "box_head.fc6.bias"}
    for tensors, says in ((fewer, r"box_head\.fc6\.bias"), ({**state, "odd": torch.ones(1)}, "odd")):
        save_checkpoint(tmp_path / "x.safetensors", tensors, METADATA)
        with pytest.raises(CheckpointError, match=rf"x\.safetensors: (.|\n)*{says}"):
            load_detector(tmp_path / "x.safetensors")


def failing_write(error: BaseException) -> Callable[..., None]:
    def write(tensors: dict[str, Tensor], path: Path, **options: Any) -> None:
        path.write_bytes(b"half of it")
        raise error

    return write


@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()])
def test_an_interrupted_write_leaves_the_old_file(
    saved: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    before = saved.read_bytes()
    monkeypatch.setattr(checkpoint, "save_file", failing_write(error))
    with pytest.raises(type(error)):
        save_checkpoint(saved, TENSORS, METADATA)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]
