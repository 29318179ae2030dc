"""Our Faster R-CNN against torchvision's, with the same weights, on real photos of mixed sizes."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models.detection import fasterrcnn_resnet50_fpn
from torchvision.transforms.functional import pil_to_tensor

from boxmask.types import Target
from boxmask.weights import from_torchvision

PHOTOS = ("bccd/JPEGImages/BloodImage_00007.jpg", "raccoon/images/raccoon-1.jpg", "raccoon/images/raccoon-20.jpg")


@pytest.fixture(scope="module")
def both() -> tuple[nn.Module, nn.Module]:
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
def test_same_boxes_scores_and_labels(both: tuple[nn.Module, nn.Module], photos: list[Tensor]) -> None:
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
@pytest.mark.parametrize("objects", [(6, 1, 3), (4, 0, 2), (0, 0, 0)])
def test_same_losses(
    both: tuple[nn.Module, nn.Module], photos: list[Tensor], objects: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With so many samples that nothing is left to chance; batch norm stays frozen on both sides."""
    theirs, ours = both
    everything = 10**6
    theirs.rpn.fg_bg_sampler.batch_size_per_image = everything
    theirs.roi_heads.fg_bg_sampler.batch_size_per_image = everything
    object.__setattr__(ours, "config", ours.config.__class__(**{**vars(ours.config), "rpn_samples": everything, "roi_samples": everything}))
    targets = targets_of(photos, objects)
    for module in (theirs, theirs.rpn, theirs.roi_heads, theirs.transform):
        module.training = True  # not .train(): that would wake batch norm
    with torch.no_grad():
        expected = theirs(photos, [{"boxes": t.boxes, "labels": t.labels + 1} for t in targets])
    theirs.eval()
    with torch.no_grad():
        found = ours.loss(photos, targets)
    names = {"rpn_objectness": "loss_objectness", "rpn_box": "loss_rpn_box_reg", "roi_class": "loss_classifier", "roi_box": "loss_box_reg"}
    for name, theirs_name in names.items():
        torch.testing.assert_close(found[name], expected[theirs_name], atol=1e-4, rtol=1e-4)
