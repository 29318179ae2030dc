"""Mask R-CNN and Faster R-CNN v2 compared with torchvision's, with the same weights, on real photos."""

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
CROPS = ((320, 400), (448, 320))  # (height, width) for the losses: crops that are not resized
ALL_SAMPLES = 10**6  # per image, so that nothing is sampled at random
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
    """torchvision's network with random weights, and ours with the same weights."""
    torch.manual_seed(0)
    theirs = NETWORKS[request.param](weights=None, weights_backbone=None, num_classes=5)
    with torch.no_grad():
        for module in theirs.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(std=0.1)
                module.running_var.uniform_(0.8, 1.2)
                module.bias.normal_(std=0.1)
        for layer in theirs.backbone.fpn.layer_blocks:
            layer[0].weight.mul_(0.02)  # features of about 1, like trained ones
        for layer in (theirs.rpn.head.cls_logits, theirs.roi_heads.box_predictor.cls_score):
            nn.init.normal_(layer.weight, std=0.05)  # spread scores, none saturated
    theirs.eval()
    return theirs, from_torchvision(request.param, theirs.state_dict())


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> list[Tensor]:
    return [pil_to_tensor(Image.open(shared_data / name).convert("RGB")) / 255 for name in PHOTOS]


def configure(monkeypatch: pytest.MonkeyPatch, both: tuple[nn.Module, Detector], **options: int) -> None:
    """Resize photos to a smaller size in both networks, for speed, and change options of ours."""
    theirs, ours = both
    monkeypatch.setattr(theirs.transform, "min_size", (options["shorter_side"],))
    monkeypatch.setattr(theirs.transform, "max_size", options["longer_side"])
    config = replace(ours.config, **options)
    for part in (ours, ours.boxes) if isinstance(ours, MaskRCNN) else (ours,):
        monkeypatch.setattr(part, "config", config)


def matching_rows(found: Detections, expected: dict[str, Tensor]) -> Tensor:
    """For each of our detections, the row of torchvision's with the same class, box and score, or -1.

    Where scores differ by rounding, the order may differ, and the last of a hundred may be another one.
    """
    assert len(found) == len(expected["boxes"])
    apart = (torch.from_numpy(found.boxes)[:, None] - expected["boxes"]).abs().amax(2)
    apart = apart + 1e3 * ((torch.from_numpy(found.scores)[:, None] - expected["scores"]).abs() > 1e-4)
    apart = apart + 1e3 * (torch.from_numpy(found.labels)[:, None] + 1 != expected["labels"])
    nearest, row = apart.min(1)
    alike = nearest < 0.02
    assert (found.scores[~alike.numpy()] <= found.scores[-1] + 1e-4).all()
    assert alike.float().mean() >= 0.97
    assert len(row[alike].unique()) == len(row[alike])
    return torch.where(alike, row, -1)


def assert_same_masks(found: Detections, expected: Tensor, rows: Tensor) -> None:
    """Check that masks are equal, except for a few pixels at the threshold."""
    assert found.masks is not None
    ours = torch.from_numpy(found.masks.dense())[rows >= 0]
    theirs = expected[rows[rows >= 0], 0]
    differs = ours != (theirs > 0.5)
    assert (theirs[differs] - 0.5).abs().amax() < 1e-3 if differs.any() else True
    assert differs.sum() <= max(20, 1e-4 * ours.sum())
    assert 1e-3 < ours.float().mean() < 0.99  # otherwise the comparison would be trivial


@pytest.mark.slow
def test_same_boxes_scores_labels_and_masks(
    both: tuple[nn.Module, Detector], photos: list[Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, both, shorter_side=320, longer_side=500)
    theirs, ours = both
    with torch.inference_mode():
        expected = [theirs([photo])[0] for photo in photos]  # in a batch, padding changes its results
    found = ours.predict(photos)
    assert sum(len(one) for one in found) > 100
    for a, b in zip(found, expected, strict=True):
        rows = matching_rows(a, b)
        if isinstance(ours, MaskRCNN):
            assert_same_masks(a, b["masks"], rows)
        else:
            assert a.masks is None


def targets_of(objects: tuple[int, ...]) -> list[Target]:
    """Random boxes, each with an ellipse as its mask."""
    generator = torch.Generator().manual_seed(1)
    targets = []
    for (height, width), count in zip(CROPS, objects, strict=True):
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


def torchvision_target(target: Target) -> dict[str, Tensor]:
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
    """Photos with many objects, one and none; batch norm is frozen in both networks."""
    samples = {"rpn_samples": ALL_SAMPLES, "roi_samples": ALL_SAMPLES}
    configure(monkeypatch, both, shorter_side=320, longer_side=500, **samples)
    theirs, ours = both
    monkeypatch.setattr(theirs.rpn.fg_bg_sampler, "batch_size_per_image", ALL_SAMPLES)
    monkeypatch.setattr(theirs.roi_heads.fg_bg_sampler, "batch_size_per_image", ALL_SAMPLES)
    for module in (theirs, theirs.rpn, theirs.roi_heads, theirs.transform):
        monkeypatch.setattr(module, "training", True)  # .train() would also unfreeze batch norm
    crops = [photo[:, :height, :width] for photo, (height, width) in zip(photos, CROPS, strict=True)]
    assert [tuple(crop.shape[1:]) for crop in crops] == list(CROPS)
    targets = targets_of(objects)
    with torch.no_grad():
        expected = theirs(crops, [torchvision_target(target) for target in targets])
        found = ours.loss(crops, targets)
    assert set(found) == {name for name, other in LOSSES.items() if other in expected}
    for name, loss in found.items():
        torch.testing.assert_close(loss, expected[LOSSES[name]], atol=1e-4, rtol=1e-4)
