"""Our RetinaNet against both of torchvision's, with the same weights, on real photos of mixed sizes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models.detection import retinanet_resnet50_fpn, retinanet_resnet50_fpn_v2
from torchvision.transforms.functional import pil_to_tensor

from boxmask.detectors.contract import Detector
from boxmask.types import Detections, Target
from boxmask.weights import from_torchvision

PHOTOS = ("bccd/JPEGImages/BloodImage_00007.jpg", "raccoon/images/raccoon-20.jpg")
SMALLER = (400, 667)  # the sides of the photos in the tests of the losses, for speed
LOSSES = {"dense_class": "classification", "dense_box": "bbox_regression"}  # ours: theirs
NAMES = ("nothing", "one", "two", "three", "four")  # of all columns, as random weights use the first, too
NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "retinanet_resnet50_fpn": retinanet_resnet50_fpn,
    "retinanet_resnet50_fpn_v2": retinanet_resnet50_fpn_v2,
}


@pytest.fixture(scope="module", params=list(NETWORKS))
def both(request: pytest.FixtureRequest) -> tuple[nn.Module, Detector]:
    """torchvision's network with lively random weights, and ours with the same."""
    theirs = lively(NETWORKS[request.param](weights=None, weights_backbone=None, num_classes=len(NAMES)))
    return theirs, from_torchvision(request.param, theirs.state_dict(), NAMES)


@torch.no_grad()
def lively(theirs: nn.Module) -> nn.Module:
    """Weights with which all parts have a say, scores lie well apart, and none is saturated."""
    generator = torch.Generator().manual_seed(0)
    for name, module in theirs.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1, generator=generator)
            module.running_var.uniform_(0.8, 1.2, generator=generator)
        elif isinstance(module, nn.GroupNorm):
            module.bias.normal_(std=0.1, generator=generator)
        elif isinstance(module, nn.Conv2d) and name.startswith("head."):
            fan_in = module.weight[0].numel()
            module.weight.normal_(std=(2 / fan_in) ** 0.5, generator=generator)
    for layer in theirs.backbone.fpn.layer_blocks:
        layer[0].weight.mul_(0.02)  # features of about one, as trained ones are
    theirs.head.classification_head.cls_logits.bias.fill_(-2.0)
    theirs.head.regression_head.bbox_reg.weight.mul_(0.1)
    return theirs.eval()


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> list[Tensor]:
    return [pil_to_tensor(Image.open(shared_data / name).convert("RGB")) / 255 for name in PHOTOS]


def assert_same(found: Detections, expected: dict[str, Tensor]) -> None:
    """The same boxes, scores and labels; two may change places whose scores differ by rounding alone."""
    assert len(found) == len(expected["boxes"])
    torch.testing.assert_close(found.scores, expected["scores"], atol=1e-5, rtol=1e-5)
    apart = (found.boxes[:, None] - expected["boxes"]).abs().amax(2)
    apart = apart + 1e3 * ((found.scores[:, None] - expected["scores"]).abs() > 1e-5)
    apart = apart + 1e3 * (found.labels[:, None] != expected["labels"])
    nearest, row = apart.min(1)
    assert nearest.amax() < 0.01
    assert len(row.unique()) == len(row)
    assert (row == torch.arange(len(row))).float().mean() > 0.95


def targets_of(photos: list[Tensor], objects: tuple[int, ...]) -> list[Target]:
    generator = torch.Generator().manual_seed(1)
    targets = []
    for photo, count in zip(photos, objects, strict=True):
        height, width = photo.shape[1:]
        corner = torch.rand(count, 2, generator=generator) * torch.tensor([width * 0.6, height * 0.6])
        side = 12 + torch.rand(count, 2, generator=generator) * torch.tensor([width * 0.3, height * 0.3])
        labels = torch.randint(0, 5, (count,), generator=generator)
        targets.append(Target.of(torch.cat([corner, corner + side], 1), labels))
    return targets


@pytest.mark.slow
def test_same_boxes_scores_and_labels(both: tuple[nn.Module, Detector], photos: list[Tensor]) -> None:
    theirs, ours = both
    with torch.inference_mode():
        expected = theirs(photos)
    found = ours.predict(photos)
    assert sum(len(one) for one in found) > 100
    for a, b in zip(found, expected, strict=True):
        assert_same(a, b)


@pytest.mark.slow
@pytest.mark.parametrize("objects", [(6, 1), (0, 3), (0, 0)])
def test_same_losses(
    both: tuple[nn.Module, Detector],
    photos: list[Tensor],
    objects: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Photos with many objects, one, and none at all; batch norm stays frozen on both sides."""
    theirs, ours = both
    monkeypatch.setattr(theirs.transform, "min_size", SMALLER[:1])
    monkeypatch.setattr(theirs.transform, "max_size", SMALLER[1])
    for module in (theirs, theirs.transform):
        monkeypatch.setattr(module, "training", True)  # not .train(): that would wake batch norm
    smaller = replace(ours.config, shorter_side=SMALLER[0], longer_side=SMALLER[1])
    monkeypatch.setattr(ours, "config", smaller)
    targets = targets_of(photos, objects)
    with torch.no_grad():
        expected = theirs(photos, [{"boxes": t.boxes, "labels": t.labels} for t in targets])
        found = ours.loss(photos, targets)
    assert set(found) == set(LOSSES)
    for name, loss in found.items():
        torch.testing.assert_close(loss, expected[LOSSES[name]], atol=1e-4, rtol=1e-4)
