"""Our SSD and SSDLite against torchvision's, with the same weights, on real photos of mixed sizes."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models import detection
from torchvision.transforms.functional import pil_to_tensor

from boxmask.detectors.contract import Detector
from boxmask.errors import WeightsError
from boxmask.types import Target
from boxmask.weights import from_torchvision

PHOTOS = ("bccd/JPEGImages/BloodImage_00007.jpg", "raccoon/images/raccoon-20.jpg")
LOSSES = {"ssd_class": "classification", "ssd_box": "bbox_regression"}  # ours: theirs
HEAD_SPREAD = {  # of the last layers' first numbers, so that scores are well apart and boxes inside the photo
    "ssd300_vgg16": (0.1, 0.05),
    "ssdlite320_mobilenet_v3_large": (1.0, 0.3),
}

Both = tuple[nn.Module, Detector]


def enliven(network: nn.Module, spread: tuple[float, float]) -> None:
    """Random numbers with which no map vanishes or explodes, and no two scores are near."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.8, 1.2)
            module.weight.fill_(0.8)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                module.bias.normal_(std=0.1)
    heads = (network.head.classification_head, network.head.regression_head)
    for head, factor in zip(heads, spread, strict=True):
        for predictor in head.module_list:
            [*_, last] = [m for m in predictor.modules() if isinstance(m, nn.Conv2d)]
            last.weight.mul_(factor)


@pytest.fixture(scope="module", params=list(HEAD_SPREAD))
def both(request: pytest.FixtureRequest) -> Both:
    """torchvision's network with lively random weights, and ours with the same."""
    torch.manual_seed(0)
    theirs = getattr(detection, request.param)(weights=None, weights_backbone=None, num_classes=5)
    with torch.no_grad():
        enliven(theirs, HEAD_SPREAD[request.param])
        if request.param == "ssd300_vgg16":
            theirs.backbone.features[0].weight.div_(64)  # its pixels count to 255
    theirs.eval()
    return theirs, from_torchvision(request.param, theirs.state_dict())


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> list[Tensor]:
    return [pil_to_tensor(Image.open(shared_data / name).convert("RGB")) / 255 for name in PHOTOS]


@pytest.mark.slow
def test_same_boxes_scores_and_labels(both: Both, photos: list[Tensor]) -> None:
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
    both: Both, photos: list[Tensor], objects: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Photos with many objects, one, and none at all; batch norm stays frozen on both sides."""
    theirs, ours = both
    for module in (theirs, theirs.transform):
        monkeypatch.setattr(module, "training", True)  # not .train(): that would wake batch norm
    targets = targets_of(photos, objects)
    with torch.no_grad():
        expected = theirs(photos, [{"boxes": t.boxes, "labels": t.labels + 1} for t in targets])
        found = ours.loss(photos, targets)
    assert set(found) == set(LOSSES)
    for name, loss in found.items():
        torch.testing.assert_close(loss, expected[LOSSES[name]], atol=1e-4, rtol=1e-4)
        assert (loss > 0) == any(objects)


@pytest.mark.parametrize("name", list(HEAD_SPREAD))
def test_foreign_weights_are_named(both: Both, name: str) -> None:
    state = both[0].state_dict()
    with pytest.raises(WeightsError, match=f"not the weights of torchvision's {name}: its heads are missing"):
        from_torchvision(name, {})
    matching = "features.0.13.0.weight" in " ".join(state)
    if matching != name.startswith("ssdlite"):
        with pytest.raises(WeightsError, match=f"not the weights of torchvision's {name}"):
            from_torchvision(name, state)
    else:
        short = {key: x for key, x in state.items() if "extra.2" not in key}
        with pytest.raises(WeightsError, match=f"not the weights of torchvision's {name}"):
            from_torchvision(name, short)


def test_class_names(both: Both) -> None:
    assert both[1].config.class_names == ("class 1", "class 2", "class 3", "class 4")
