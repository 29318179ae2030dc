"""FCN and DeepLabv3 compared with torchvision's, with the same weights, on real photos of mixed sizes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import segmentation
from torchvision.transforms.functional import pil_to_tensor

from boxmask.errors import WeightsError
from boxmask.pipeline.images import resized_size
from boxmask.segmenters.contract import Segmenter
from boxmask.types import IGNORED, SegmentationTarget
from boxmask.weights import from_torchvision

PHOTOS = ("bccd/JPEGImages/BloodImage_00007.jpg", "raccoon/images/raccoon-20.jpg")
NETWORKS = (
    "fcn_resnet50",
    "fcn_resnet101",
    "deeplabv3_resnet50",
    "deeplabv3_resnet101",
    "deeplabv3_mobilenet_v3_large",
)
SHORTER_SIDE = 260  # of the photos in the tests, for speed

Both = tuple[nn.Module, Segmenter]


@torch.no_grad()
def randomize(network: nn.Module) -> None:
    """Give every norm random statistics and spread the logits."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.8, 1.2)
            module.weight.uniform_(0.7, 1.0)
            module.bias.normal_(std=0.1)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                module.bias.normal_(std=0.1)


@pytest.fixture(scope="module", params=NETWORKS)
def both(request: pytest.FixtureRequest) -> Both:
    """torchvision's network with random weights, and ours with the same weights."""
    torch.manual_seed(1)
    build = getattr(segmentation, request.param)
    theirs = build(weights=None, weights_backbone=None, num_classes=5, aux_loss=True)
    randomize(theirs)
    return theirs.eval(), from_torchvision(request.param, theirs.state_dict())


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> list[Tensor]:
    """At the size that the networks use here, so that resizing has no effect."""
    found = []
    for name in PHOTOS:
        photo = pil_to_tensor(Image.open(shared_data / name).convert("RGB"))
        size = resized_size((photo.shape[1], photo.shape[2]), SHORTER_SIDE, 10_000)
        found.append(F.interpolate(photo[None] / 255, size=size, mode="bilinear", antialias=True)[0])
    return found


def normalized(photo: Tensor) -> Tensor:
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (photo - mean[:, None, None]) / std[:, None, None]


@pytest.fixture
def no_resize(both: Both, monkeypatch: pytest.MonkeyPatch) -> Both:
    """The same two; ours does not resize the photos."""
    monkeypatch.setattr(both[1], "config", replace(both[1].config, shorter_side=SHORTER_SIDE))
    return both


@pytest.mark.slow
def test_same_logits(both: Both, photos: list[Tensor]) -> None:
    theirs, ours = both
    for photo in photos:
        pixels = normalized(photo)[None]
        with torch.inference_mode():
            expected, found = theirs(pixels)["out"], ours(pixels)
        assert expected.std() > 0.1
        scale = float(expected.abs().max())
        torch.testing.assert_close(found, expected, atol=1e-4 * scale, rtol=1e-4)


@pytest.mark.slow
def test_same_label_maps(no_resize: Both, photos: list[Tensor]) -> None:
    theirs, ours = no_resize
    for photo, found in zip(photos, ours.predict(photos), strict=True):
        with torch.inference_mode():
            expected = theirs(normalized(photo)[None])["out"][0].argmax(0).numpy()
        assert len(np.unique(expected)) > 1
        assert (found.labels != expected).mean() < 1e-3  # a few pixels have two equally likely classes


@pytest.mark.slow
@pytest.mark.parametrize("ignored", [0.0, 0.5, 1.0])
def test_same_losses(no_resize: Both, photos: list[Tensor], ignored: float) -> None:
    """A batch of mixed sizes, padded as in torchvision's training script, with ignored pixels."""
    theirs, ours = no_resize
    height, width = (max(photo.shape[side] for photo in photos) for side in (1, 2))
    generator = torch.Generator().manual_seed(0)
    pixels, labels, targets = torch.zeros(2, 3, height, width), torch.full((2, height, width), IGNORED), []
    for index, photo in enumerate(photos):
        size = (photo.shape[1], photo.shape[2])
        photo_labels = torch.randint(0, 5, size, generator=generator)
        photo_labels[torch.rand(size, generator=generator) < ignored] = IGNORED
        targets.append(SegmentationTarget(photo_labels.to(torch.uint8)))
        labels[index, : size[0], : size[1]] = photo_labels
        pixels[index, :, : size[0], : size[1]] = normalized(photo)
    with torch.no_grad():
        logits, found = theirs(pixels), ours.loss(photos, targets)
    expected = [F.cross_entropy(logits[key], labels, ignore_index=IGNORED) for key in ("out", "aux")]
    if ignored == 1:
        expected = [torch.tensor(0.0)] * 2  # torchvision's script would divide zero by zero
    torch.testing.assert_close(found["pixel_class"], expected[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found["auxiliary_class"], 0.5 * expected[1], atol=1e-4, rtol=1e-4)


def test_weights_of_another_network_are_rejected(both: Both) -> None:
    state = both[0].state_dict()
    is_fcn = type(both[1]).__name__ == "FCN"
    other = "deeplabv3_resnet50" if is_fcn else "fcn_resnet50"
    with pytest.raises(WeightsError, match=r"these (are not the )?weights"):
        from_torchvision(other, state)
    with pytest.raises(WeightsError, match=r"fcn_resnet50: its head is missing"):
        from_torchvision("fcn_resnet50", {})


def test_class_names(both: Both) -> None:
    theirs, ours = both
    assert ours.config.class_names == ("class 0", "class 1", "class 2", "class 3", "class 4")
    name = {"FCN": "fcn_resnet50"}.get(type(ours).__name__)
    if name:
        assert from_torchvision(name, theirs.state_dict(), tuple("abcde")).config.class_names == tuple(
            "abcde"
        )
        with pytest.raises(WeightsError, match="class_names: these weights have 5 classes, found 2 names"):
            from_torchvision(name, theirs.state_dict(), ("a", "b"))


def test_voc_class_names_and_networks_without_an_auxiliary_head() -> None:
    theirs = segmentation.fcn_resnet50(weights=None, weights_backbone=None, num_classes=21, aux_loss=False)
    ours = from_torchvision("fcn_resnet50", theirs.state_dict())
    assert ours.config.class_names[:2] == ("__background__", "aeroplane")
    assert ours.config.auxiliary == 0
