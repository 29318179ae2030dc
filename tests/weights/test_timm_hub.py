"""timm's weights come from a server on this machine, as from the Hugging Face hub, or from a cache."""

import pickle
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save

from boxmask.errors import UsageError, WeightsError
from boxmask.weights.imagenet import backbone_weights
from boxmask.weights.published.manifest import BUNDLED
from boxmask.weights.timm_hub import remote_files, timm_file

NAME, REPOSITORY = "test_resnet", "timm/test_resnet.r160_in1k"
FOLDER = f"{REPOSITORY}/resolve/main"


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    tensors: dict[str, torch.Tensor] = timm.create_model(NAME).state_dict()
    return tensors


@pytest.fixture
def hub(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The local server as the hub."""
    monkeypatch.setattr(constants, "ENDPOINT", server.address)
    return server


def assert_equal(found: dict[str, torch.Tensor] | None, expected: dict[str, torch.Tensor]) -> None:
    assert found is not None
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], tensor) for key, tensor in expected.items())


@pytest.mark.parametrize("name", [NAME, f"{NAME}.r160_in1k"])
def test_weights_are_downloaded_once(hub: Any, checkpoints: Path, state: Any, name: str) -> None:
    hub.files[f"/{FOLDER}/model.safetensors"] = save(state)
    assert_equal(backbone_weights(name), state)
    assert_equal(backbone_weights(name, "hub"), state)
    assert len(hub.requests) == 1
    assert [path.name for path in checkpoints.iterdir()] == ["test_resnet.r160_in1k.safetensors"]


def test_an_older_repository_has_a_pickle(hub: Any, tmp_path: Path, state: Any) -> None:
    torch.save(state, tmp_path / "file")
    hub.files[f"/{FOLDER}/pytorch_model.bin"] = (tmp_path / "file").read_bytes()
    assert_equal(backbone_weights(NAME), state)
    assert timm_file(NAME).name == "test_resnet.r160_in1k.bin"


def test_no_code_in_a_pickle_is_run(hub: Any, tmp_path: Path) -> None:
    class Touch:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "touched",))

    hub.files[f"/{FOLDER}/pytorch_model.bin"] = pickle.dumps({"conv1.weight": Touch()})
    with pytest.raises(WeightsError, match="cannot be read"):
        backbone_weights(NAME)
    assert not (tmp_path / "touched").exists()


def test_the_cache_of_the_hub_is_used(hub: Any, state: Any) -> None:
    cache = Path(constants.HF_HUB_CACHE) / f"models--{REPOSITORY.replace('/', '--')}"
    (cache / "snapshots/abc").mkdir(parents=True)
    (cache / "refs").mkdir()
    (cache / "refs/main").write_text("abc")
    (cache / "snapshots/abc/model.safetensors").write_bytes(save(state))
    assert_equal(backbone_weights(NAME), state)
    assert hub.requests == []


def test_weights_of_another_network(hub: Any, state: Any) -> None:
    hub.files[f"/{FOLDER}/model.safetensors"] = save({"conv1.0.weight": state["conv1.0.weight"]})
    with pytest.raises(WeightsError, match="timm/test_resnet: these weights do not fit the network"):
        backbone_weights(NAME)


def test_a_failed_download_names_the_alternatives(hub: Any, checkpoints: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"timm/resnet18 could not be downloaded: .* no such file"
    ) as caught:
        backbone_weights("resnet18")
    message = str(caught.value)
    assert f"{hub.address}/timm/resnet18.a1_in1k/resolve/main/" in message
    assert f"save it as {checkpoints / 'resnet18.a1_in1k'}" in message
    assert f"Or use --backbone {BUNDLED}" in message
    assert "--weights none" in message


def test_offline_there_is_one_short_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "https://boxmask.invalid")
    begin = time.monotonic()
    with pytest.raises(WeightsError, match=r"boxmask\.invalid (cannot be reached|does not answer)"):
        backbone_weights("resnet18")
    assert time.monotonic() - begin < 5
    assert capfd.readouterr() == ("", "")


def test_offline_by_choice(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="timm/resnet18 is not downloaded: HF_HUB_OFFLINE is set"):
        backbone_weights("resnet18")
    assert hub.requests == []


def test_source_hub_skips_the_bundled_weights(hub: Any) -> None:
    with pytest.raises(WeightsError, match="could not be downloaded"):
        backbone_weights(BUNDLED, "hub")


@pytest.mark.parametrize("source", ["imagenet", "hub"])
@pytest.mark.parametrize("name", ["resnet-18", "resnet18.nobody_in1k"])
def test_a_backbone_that_timm_does_not_have(source: str, name: str) -> None:
    similar = r"Similar names: (\w+, )*resnet18(, \w+)*"
    with pytest.raises(UsageError, match=rf"timm has no backbone '{name}'\. {similar}\. Or use --backbone"):
        backbone_weights(name, source)


def test_a_backbone_like_no_other() -> None:
    with pytest.raises(UsageError, match=r"timm has no backbone 'QQQQ'\. Or use --backbone"):
        backbone_weights("QQQQ")


def test_a_backbone_without_weights() -> None:
    with pytest.raises(WeightsError, match=r"timm has no ImageNet weights of resnet200\. Or use"):
        backbone_weights("resnet200")


def test_an_address_outside_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    config = SimpleNamespace(hf_hub_id=None, hf_hub_filename=None, url="https://a.example/net_b-0123abcd.pth")
    monkeypatch.setattr(timm, "get_pretrained_cfg", lambda name: config)
    [file] = remote_files("resnet18")
    assert (file.file_name, file.sha256) == ("net_b-0123abcd.pth", "0123abcd")
