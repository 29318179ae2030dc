"""Our Mask R-CNN, and the second Faster R-CNN, against torchvision's, with the same weights, on photos."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models.detection import (
    fasterrcnn_resnet50_fpn_v2,
    maskrcnn_resnet50_fpn,
    maskrcnn_resnet50_fpn_v2,
)
from torchvision.transforms.functional import pil_to_tensor

from boxmask.detectors.contract import Detector
from boxmask.detectors.mask_rcnn import MaskRCNN
from boxmask.masks import Masks
from boxmask.types import Detections, Target
from boxmask.weights import from_torchvision

PHOTOS = ("bccd/JPEGImages/BloodImage_00007.jpg", "raccoon/images/raccoon-20.jpg")
PARTS = ((320, 400), (448, 320))  # (height, width) of the photos' parts that the losses are of: not resized
EVERYTHING = 10**6  # so many samples that nothing is left to chance
LOSSES = {  # ours: theirs
    "rpn_objectness": "loss_objectness",
    "rpn_box": "loss_rpn_box_reg",
    "roi_class": "loss_classifier",
    "roi_box": "loss_box_reg",
    "mask": "loss_mask",
}
NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "maskrcnn_resnet50_fpn": maskrcnn_resnet50_fpn,
    "maskrcnn_resnet50_fpn_v2": maskrcnn_resnet50_fpn_v2,
    "fasterrcnn_resnet50_fpn_v2": fasterrcnn_resnet50_fpn_v2,
}


@pytest.fixture(scope="module", params=list(NETWORKS))
def both(request: pytest.FixtureRequest) -> tuple[nn.Module, Detector]:
    """torchvision's network with lively random weights, and ours with the same."""
    torch.manual_seed(0)
    theirs = NETWORKS[request.param](weights=None, weights_backbone=None, num_classes=5)
    with torch.no_grad():
        for module in theirs.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(std=0.1)
                module.running_var.uniform_(0.8, 1.2)
                module.bias.normal_(std=0.1)
        for layer in theirs.backbone.fpn.layer_blocks:
            layer[0].weight.mul_(0.02)  # features of about one, as trained ones are
        for layer in (theirs.rpn.head.cls_logits, theirs.roi_heads.box_predictor.cls_score):
            nn.init.normal_(layer.weight, std=0.05)  # scores well apart, and none saturated
    theirs.eval()
    return theirs, from_torchvision(request.param, theirs.state_dict())


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> list[Tensor]:
    return [pil_to_tensor(Image.open(shared_data / name).convert("RGB")) / 255 for name in PHOTOS]


def at_size(monkeypatch: pytest.MonkeyPatch, both: tuple[nn.Module, Detector], **options: int) -> None:
    """Both networks at a smaller size, for speed, and ours with other options."""
    theirs, ours = both
    monkeypatch.setattr(theirs.transform, "min_size", (options["shorter_side"],))
    monkeypatch.setattr(theirs.transform, "max_size", options["longer_side"])
    config = replace(ours.config, **options)
    for part in (ours, ours.boxes) if isinstance(ours, MaskRCNN) else (ours,):
        monkeypatch.setattr(part, "config", config)


def pairs(found: Detections, expected: dict[str, Tensor]) -> Tensor:
    """Their row of each of ours: the same class, box and score, each once.

    Where scores are equal but for rounding, two may change places, or the last of a hundred be another.
    """
    assert len(found) == len(expected["boxes"])
    apart = (found.boxes[:, None] - expected["boxes"]).abs().amax(2)
    apart = apart + 1e3 * ((found.scores[:, None] - expected["scores"]).abs() > 1e-4)
    apart = apart + 1e3 * (found.labels[:, None] + 1 != expected["labels"])
    nearest, row = apart.min(1)
    alike = nearest < 0.02
    assert (found.scores[~alike] <= found.scores[-1] + 1e-4).all()
    assert alike.float().mean() >= 0.97
    assert len(row[alike].unique()) == len(row[alike])
    return torch.where(alike, row, -1)


def assert_same_masks(found: Detections, expected: Tensor, rows: Tensor) -> None:
    """All pixels but a few, whose value is at the threshold."""
    assert found.masks is not None
    ours = torch.from_numpy(found.masks.dense())[rows >= 0]
    theirs = expected[rows[rows >= 0], 0]
    differs = ours != (theirs > 0.5)
    assert (theirs[differs] - 0.5).abs().amax() < 1e-3 if differs.any() else True
    assert differs.sum() <= max(20, 1e-4 * ours.sum())
    assert 1e-3 < ours.float().mean() < 0.99  # the comparison is about something


@pytest.mark.slow
def test_same_boxes_scores_labels_and_masks(
    both: tuple[nn.Module, Detector], photos: list[Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_size(monkeypatch, both, shorter_side=320, longer_side=500)
    theirs, ours = both
    with torch.inference_mode():
        expected = theirs(photos)
    found = ours.predict(photos)
    assert sum(len(one) for one in found) > 100
    for a, b in zip(found, expected, strict=True):
        rows = pairs(a, b)
        if isinstance(ours, MaskRCNN):
            assert_same_masks(a, b["masks"], rows)
        else:
            assert a.masks is None


def targets_of(objects: tuple[int, ...]) -> list[Target]:
    """Boxes at random places, and an ellipse in each."""
    generator = torch.Generator().manual_seed(1)
    targets = []
    for (height, width), count in zip(PARTS, objects, strict=True):
        corner = torch.rand(count, 2, generator=generator) * torch.tensor([width * 0.6, height * 0.6])
        side = 12 + torch.rand(count, 2, generator=generator) * torch.tensor([width * 0.3, height * 0.3])
        labels = torch.randint(0, 4, (count,), generator=generator)
        target = Target.of(torch.cat([corner, corner + side], 1), labels)
        targets.append(replace(target, masks=ellipses(target.boxes, (height, width))))
    return targets


def ellipses(boxes: Tensor, size: tuple[int, int]) -> Masks:
    rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
    dense = np.zeros((len(boxes), *size), dtype=np.bool_)
    for mask, (x1, y1, x2, y2) in zip(dense, boxes.tolist(), strict=True):
        mask[:] = ((columns * 2 - x1 - x2) / (x2 - x1)) ** 2 + ((rows * 2 - y1 - y2) / (y2 - y1)) ** 2 < 1
    return Masks.from_dense(dense)


def as_theirs(target: Target) -> dict[str, Tensor]:
    assert target.masks is not None
    masks = torch.from_numpy(target.masks.dense()).to(torch.uint8)
    return {"boxes": target.boxes, "labels": target.labels + 1, "masks": masks}


@pytest.mark.slow
@pytest.mark.parametrize("objects", [(6, 1), (0, 3), (0, 0)])
def test_same_losses(
    both: tuple[nn.Module, Detector],
    photos: list[Tensor],
    objects: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Photos with many objects, one, and none at all; batch norm stays frozen on both sides."""
    options = {"rpn_samples": EVERYTHING, "roi_samples": EVERYTHING}
    at_size(monkeypatch, both, shorter_side=320, longer_side=500, **options)
    theirs, ours = both
    monkeypatch.setattr(theirs.rpn.fg_bg_sampler, "batch_size_per_image", EVERYTHING)
    monkeypatch.setattr(theirs.roi_heads.fg_bg_sampler, "batch_size_per_image", EVERYTHING)
    for module in (theirs, theirs.rpn, theirs.roi_heads, theirs.transform):
        monkeypatch.setattr(module, "training", True)  # not .train(): that would wake batch norm
    parts = [photo[:, :height, :width] for photo, (height, width) in zip(photos, PARTS, strict=True)]
    assert [tuple(part.shape[1:]) for part in parts] == list(PARTS)
    targets = targets_of(objects)
    with torch.no_grad():
        expected = theirs(parts, [as_theirs(target) for target in targets])
        found = ours.loss(parts, targets)
    assert set(found) == {name for name, other in LOSSES.items() if other in expected}
    for name, loss in found.items():
        torch.testing.assert_close(loss, expected[LOSSES[name]], atol=1e-4, rtol=1e-4)
