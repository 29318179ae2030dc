"""Our Faster R-CNN against torchvision's, with the same weights, on real photos of mixed sizes."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models.detection import fasterrcnn_resnet50_fpn
from torchvision.transforms.functional import pil_to_tensor

from boxmask.detectors.contract import Detector
from boxmask.types import Target
from boxmask.weights import from_torchvision

PHOTOS = ("bccd/JPEGImages/BloodImage_00007.jpg", "raccoon/images/raccoon-20.jpg")
SMALLER = (400, 667)  # the sides of the photos in the tests of the losses, for speed
EVERYTHING = 10**6  # so many samples that nothing is left to chance
LOSSES = {  # ours: theirs
    "rpn_objectness": "loss_objectness",
    "rpn_box": "loss_rpn_box_reg",
    "roi_class": "loss_classifier",
    "roi_box": "loss_box_reg",
}


@pytest.fixture(scope="module")
def both() -> tuple[nn.Module, Detector]:
    """torchvision's network with lively random weights, and ours with the same."""
    torch.manual_seed(0)
    theirs = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=5)
    with torch.no_grad():
        for module in theirs.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(std=0.1)
                module.running_var.uniform_(0.8, 1.2)
        for layer in theirs.backbone.fpn.layer_blocks:
            layer[0].weight.mul_(0.02)  # features of about one, as trained ones are
        for layer in (theirs.rpn.head.cls_logits, theirs.roi_heads.box_predictor.cls_score):
            nn.init.normal_(layer.weight, std=0.05)  # scores well apart, and none saturated
    theirs.eval()
    return theirs, from_torchvision("fasterrcnn_resnet50_fpn", theirs.state_dict())


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> list[Tensor]:
    return [pil_to_tensor(Image.open(shared_data / name).convert("RGB")) / 255 for name in PHOTOS]


@pytest.mark.slow
def test_same_boxes_scores_and_labels(both: tuple[nn.Module, Detector], photos: list[Tensor]) -> None:
    theirs, ours = both
    with torch.inference_mode():
        expected = theirs(photos)
    found = ours.predict(photos)
    assert sum(len(one) for one in found) > 100
    for a, b in zip(found, expected, strict=True):
        assert len(a) == len(b["boxes"])
        torch.testing.assert_close(a.boxes, b["boxes"], atol=1e-3, rtol=1e-4)
        torch.testing.assert_close(a.scores, b["scores"], atol=1e-4, rtol=1e-4)
        assert torch.equal(a.labels + 1, b["labels"])


def targets_of(photos: list[Tensor], objects: tuple[int, ...]) -> list[Target]:
    generator = torch.Generator().manual_seed(1)
    targets = []
    for photo, count in zip(photos, objects, strict=True):
        height, width = photo.shape[1:]
        corner = torch.rand(count, 2, generator=generator) * torch.tensor([width * 0.6, height * 0.6])
        side = 12 + torch.rand(count, 2, generator=generator) * torch.tensor([width * 0.3, height * 0.3])
        labels = torch.randint(0, 4, (count,), generator=generator)
        targets.append(Target.of(torch.cat([corner, corner + side], 1), labels))
    return targets


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
    monkeypatch.setattr(theirs.rpn.fg_bg_sampler, "batch_size_per_image", EVERYTHING)
    monkeypatch.setattr(theirs.roi_heads.fg_bg_sampler, "batch_size_per_image", EVERYTHING)
    monkeypatch.setattr(theirs.transform, "min_size", SMALLER[:1])
    monkeypatch.setattr(theirs.transform, "max_size", SMALLER[1])
    for module in (theirs, theirs.rpn, theirs.roi_heads, theirs.transform):
        monkeypatch.setattr(module, "training", True)  # not .train(): that would wake batch norm
    smaller = replace(ours.config, shorter_side=SMALLER[0], longer_side=SMALLER[1])
    monkeypatch.setattr(ours, "config", replace(smaller, rpn_samples=EVERYTHING, roi_samples=EVERYTHING))
    targets = targets_of(photos, objects)
    with torch.no_grad():
        expected = theirs(photos, [{"boxes": t.boxes, "labels": t.labels + 1} for t in targets])
        found = ours.loss(photos, targets)
    assert set(found) == set(LOSSES)
    for name, loss in found.items():
        torch.testing.assert_close(loss, expected[LOSSES[name]], atol=1e-4, rtol=1e-4)
