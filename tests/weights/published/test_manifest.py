"""The manifest compared with torchvision's own table of weights, and with timm's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import timm
from torchvision import models
from torchvision.models import detection, segmentation
from torchvision.models._api import WeightsEnum

from boxmask.errors import WeightsError
from boxmask.models.table import MODELS
from boxmask.weights.published.manifest import (
    BUNDLED,
    PublishedWeights,
    find_weights,
    is_published_name,
    published_weights,
    unsupported_weights,
)
from boxmask.weights.timm_hub import remote_files
from boxmask.weights.torchvision.convert import CONVERTERS

TORCHVISION = [entry for entry in published_weights().values() if entry.name.startswith("torchvision/")]
TIMM = [entry for entry in published_weights().values() if entry.name.startswith("timm/")]
METRICS = {"AP": "box_map", "mask_AP": "mask_map", "mIoU": "miou", "pixel_accuracy": "pixel_acc"}


def their_weights(entry: PublishedWeights) -> WeightsEnum:
    return models.get_model_weights(entry.network).DEFAULT


@pytest.mark.parametrize("entry", TORCHVISION, ids=lambda entry: entry.network)
def test_an_entry_equals_torchvisions(entry: PublishedWeights) -> None:
    theirs = their_weights(entry)
    assert entry.address == theirs.url
    assert f"-{entry.sha256}.pth" in theirs.url  # torch hub compares the same characters
    assert entry.mebibytes == theirs.meta["_file_size"]
    assert entry.parameters == theirs.meta["num_params"]
    assert entry.source == theirs.meta["recipe"]
    [(data, metrics)] = theirs.meta["_metrics"].items()
    assert entry.measured_on == data
    published = {METRICS[name]: 100 * value for name, value in entry.metrics.items()}
    assert published == pytest.approx(metrics)
    assert entry.model in MODELS


def test_every_network_of_torchvision_is_listed() -> None:
    theirs = {
        f"torchvision/{name}" for part in (detection, segmentation) for name in models.list_models(part)
    }
    ours = {entry.name for entry in TORCHVISION}
    assert ours | set(unsupported_weights()) == theirs
    assert not ours & set(unsupported_weights())
    assert {entry.network for entry in TORCHVISION} == set(CONVERTERS)


def test_each_network_has_one_set_of_weights_that_is_not_outdated() -> None:
    for entry in TORCHVISION:
        assert len(models.get_model_weights(entry.network)) == 1


@pytest.mark.parametrize("entry", TORCHVISION, ids=lambda entry: entry.network)
def test_the_epsilon_is_torchvisions(entry: PublishedWeights) -> None:
    """torchvision sets it to zero in the code that loads these weights, and says so nowhere else."""
    source = Path(sys.modules[models.get_model_builder(entry.network).__module__].__file__ or "").read_text()
    enum = type(their_weights(entry)).__name__
    is_zero = re.search(rf"weights == {enum}\.\w+:\n\s+overwrite_eps\(model, 0\.0\)", source) is not None
    assert (entry.batch_norm_eps == 0.0) == is_zero
    assert entry.batch_norm_eps in (None, 0.0)


@pytest.mark.parametrize("entry", TIMM, ids=lambda entry: entry.network)
def test_an_entry_equals_timms(entry: PublishedWeights) -> None:
    file, config = remote_files(entry.network)[0], timm.get_pretrained_cfg(entry.network)
    assert (entry.file.address, entry.file.file_name) == (file.address, file.file_name)
    assert entry.license.lower() == config.license
    network = timm.create_model(entry.network)
    assert entry.parameters == sum(parameter.numel() for parameter in network.parameters())
    size = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    assert entry.mebibytes == pytest.approx(size / 2**20, abs=0.06)
    assert entry.installed == (entry.network == BUNDLED)


def test_the_light_ones_come_first() -> None:
    boxes = [entry.mebibytes for entry in TORCHVISION if entry.finds == "boxes"]
    assert boxes[0] == min(boxes)
    assert max(boxes[:3]) < min(boxes[3:])


def test_torch_is_not_imported() -> None:
    code = (
        "import sys, boxmask.weights.published.manifest as m; m.published_weights(); "
        "assert not {'torch', 'timm', 'torchvision'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "torchvision/ssd300_vgg16"
    assert is_published_name(Path(name))
    assert not is_published_name(Path("runs/ssd-1"))
    assert not is_published_name(Path("torchvision/runs/ssd-1"))
    (tmp_path / name).mkdir(parents=True)
    assert not is_published_name(Path(name))  # a run of this name goes first


def test_unknown_names() -> None:
    with pytest.raises(WeightsError, match=r"torchvision/ssd300: there are no .* torchvision/ssd300_vgg16"):
        find_weights("torchvision/ssd300")
    with pytest.raises(
        WeightsError, match=r"cannot load these weights: .* no model .* has a keypoint head\."
    ):
        find_weights("torchvision/keypointrcnn_resnet50_fpn")


def test_a_copy_in_the_cache_of_the_hugging_face_hub_is_here(tmp_path: Path) -> None:
    entry = published_weights()["timm/resnet18"]
    assert not entry.is_here
    repository = tmp_path / "huggingface" / "models--timm--resnet18.a1_in1k"
    copy = repository / "snapshots" / "0123" / "model.safetensors"
    for file, text in ((copy, "weights"), (repository / "refs" / "main", "0123")):
        file.parent.mkdir(parents=True)
        file.write_text(text)
    assert entry.path_here == copy
    assert entry.is_here
