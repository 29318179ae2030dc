"""Every network of the manifest, loaded by name from the file that torchvision loads, finds the same.

The files have random numbers. torchvision reads them as its COCO weights: with all 91 classes, frozen batch
norm, and the epsilon that it uses for these weights.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision import models
from torchvision.transforms.functional import pil_to_tensor

import boxmask
from boxmask.detectors.contract import Detector
from boxmask.segmenters.contract import Segmenter
from boxmask.weights.published.manifest import PublishedWeights, published_weights

ENTRIES = [entry for entry in published_weights().values() if entry.model]
PHOTO = "bccd/JPEGImages/BloodImage_00007.jpg"


SPREAD = {  # layers by regular expression -> standard deviation of their outputs
    r".*fpn\.(inner|layer)_blocks\.\d\.0": 1.0,
    r".*box_head\.fc\d|.*box_head\.5": 1.0,
    r".*cls_score": 2.0,
    r".*(cls_logits|bbox_ctrness)": 0.7,
    r".*classification_head\.module_list\.\d(\.1)?": 2.0,
    r".*(bbox_pred|bbox_reg)": 0.3,
    r".*regression_head\.module_list\.\d(\.1)?": 0.3,
}


@torch.no_grad()
def randomize(network: nn.Module, photo: Tensor) -> None:
    """Random weights with which no map vanishes or explodes, and scores are spread."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.uniform_(0.6, 0.9)
            module.bias.normal_(std=0.1)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    if hasattr(network.backbone, "scale_weight"):
        network.backbone.features[0].weight.div_(64)  # the inputs of this VGG16 are 0..255
    for name, module in network.named_modules():
        for pattern, spread in SPREAD.items():
            if re.fullmatch(pattern, name) and isinstance(module, nn.Conv2d | nn.Linear):
                spread_outputs(module, spread)
    network.eval()
    if hasattr(network, "transform"):
        network([photo])  # the layers are scaled now, one after the other
    if type(network).__name__ == "FCOS":
        nn.init.constant_(network.head.regression_head.bbox_reg.bias, 2.0)  # in strides: overlapping boxes


def spread_outputs(layer: nn.Conv2d | nn.Linear, spread: float) -> None:
    """Scale a layer when it is called for the first time, so that its outputs have this deviation."""

    def scale(module: nn.Module, inputs: tuple[Tensor], outputs: Tensor) -> Tensor:
        handle.remove()
        if layer.bias is not None:
            layer.bias.zero_()
        layer.weight.mul_(spread / layer(*inputs).std())
        return layer(*inputs)

    handle = layer.register_forward_hook(scale)


@pytest.fixture(params=ENTRIES, ids=lambda entry: entry.network)
def entry(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo: Tensor
) -> PublishedWeights:
    """An entry whose file is in a cache of this test, with random numbers and their checksum."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    entry: PublishedWeights = request.param
    options = {"aux_loss": True} if entry.finds == "label maps" else {}
    network = models.get_model(entry.network, weights=None, weights_backbone=None, **options)
    randomize(network, photo)
    entry.file.path.parent.mkdir(parents=True)
    torch.save(network.state_dict(), entry.file.path)
    digest = hashlib.sha256(entry.file.path.read_bytes()).hexdigest()
    monkeypatch.setitem(published_weights(), entry.name, replace(entry, sha256=digest))
    return entry


@pytest.fixture(scope="module")
def photo(shared_data: Path) -> Tensor:
    return pil_to_tensor(Image.open(shared_data / PHOTO).convert("RGB")) / 255


@pytest.mark.slow
def test_the_same_results(entry: PublishedWeights, photo: Tensor) -> None:
    theirs = models.get_model(entry.network, weights="DEFAULT").eval()
    ours = boxmask.load(entry.name, "cpu")
    with torch.inference_mode():
        if isinstance(ours, Segmenter):
            mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
            pixels = ((photo - mean[:, None, None]) / std[:, None, None])[None, :, :320, :320]
            differences = {"logits": relative(ours(pixels), theirs(pixels)["out"])}
        else:
            assert isinstance(ours, Detector)
            differences = detection_differences(ours, photo, theirs([photo])[0])
    assert differences.keys() == entry.parity.keys()
    for name, difference in differences.items():
        assert difference <= entry.parity[name], name


def relative(found: Tensor, expected: Tensor) -> float:
    """The largest difference, in units of the largest value."""
    assert expected.std() > 0
    return float((found - expected).abs().max() / expected.abs().max())


def detection_differences(ours: Detector, photo: Tensor, expected: Mapping[str, Tensor]) -> dict[str, float]:
    """The largest differences of boxes (pixels) and scores, and the fraction of mask pixels that differ."""
    found = ours.predict([photo])[0]
    assert len(found) == len(expected["boxes"]) > 20
    boxes, scores = torch.from_numpy(found.boxes), torch.from_numpy(found.scores)
    row = nearest_rows(boxes, scores, expected)
    assert torch.equal(torch.from_numpy(found.labels) + 1, expected["labels"][row])
    differences = {
        "boxes": float((boxes - expected["boxes"][row]).abs().max()),
        "scores": float((scores - expected["scores"][row]).abs().max()),
    }
    if found.masks is not None:
        masks = (expected["masks"][row, 0] >= 0.5).numpy()
        differences["masks"] = float((found.masks.dense() != masks).mean())
    return differences


def nearest_rows(boxes: Tensor, scores: Tensor, expected: Mapping[str, Tensor]) -> Tensor:
    """The row of `expected` for each box, a different one for each: equal scores may be in another order."""
    apart = (boxes[:, None] - expected["boxes"]).abs().amax(2)
    row = (apart + 1e3 * (scores[:, None] - expected["scores"]).abs()).argmin(1)
    assert len(row.unique()) == len(row)
    return row
