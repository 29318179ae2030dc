"""Shared by the comparisons with torchvision's detectors: photos, labels and assertions."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms.functional import pil_to_tensor

from boxmask.detectors.contract import Detector
from boxmask.types import Detections, Target

PHOTOS = ("bccd/JPEGImages/BloodImage_00007.jpg", "raccoon/images/raccoon-20.jpg")
SIDES = (400, 667)  # shorter and longer side of the photos in the tests of the losses, for speed


@pytest.fixture(scope="session")
def photos(shared_data: Path) -> list[Tensor]:
    """Two photos of different sizes."""
    return [pil_to_tensor(Image.open(shared_data / name).convert("RGB")) / 255 for name in PHOTOS]


@pytest.fixture(params=[(6, 1), (0, 3), (0, 0)], ids=str)
def targets(request: pytest.FixtureRequest, photos: list[Tensor]) -> list[Target]:
    """Targets of the two photos, with many objects, one and none; labels 0 to 3."""
    generator = torch.Generator().manual_seed(1)
    targets = []
    for photo, count in zip(photos, request.param, strict=True):
        height, width = photo.shape[1:]
        corner = torch.rand(count, 2, generator=generator) * torch.tensor([width * 0.6, height * 0.6])
        side = 12 + torch.rand(count, 2, generator=generator) * torch.tensor([width * 0.3, height * 0.3])
        labels = torch.randint(0, 4, (count,), generator=generator)
        targets.append(Target.of(torch.cat([corner, corner + side], 1), labels))
    return targets


@pytest.fixture
def make_smaller(monkeypatch: pytest.MonkeyPatch) -> Callable[[nn.Module, Detector], None]:
    """Let both networks resize photos to `SIDES` during the test."""

    def patch(theirs: nn.Module, ours: Detector) -> None:
        monkeypatch.setattr(theirs.transform, "min_size", SIDES[:1])
        monkeypatch.setattr(theirs.transform, "max_size", SIDES[1])
        smaller = replace(ours.config, shorter_side=SIDES[0], longer_side=SIDES[1])
        monkeypatch.setattr(ours, "config", smaller)

    return patch


@pytest.fixture
def assert_same_losses(
    photos: list[Tensor], targets: list[Target], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Check that both networks compute the same losses, with frozen batch norm.

    names:       our name of each loss -> torchvision's
    first_label: torchvision's label of our class 0; 1 if label 0 is the background
    """

    def check(theirs: nn.Module, ours: Detector, names: dict[str, str], first_label: int) -> None:
        for module in theirs.modules():
            if not isinstance(module, nn.BatchNorm2d):
                monkeypatch.setattr(module, "training", True)
        labels = [{"boxes": t.boxes, "labels": t.labels + first_label} for t in targets]
        with torch.no_grad():
            expected, found = theirs(photos, labels), ours.loss(photos, targets)
        assert set(found) == set(names)
        for name, loss in found.items():
            torch.testing.assert_close(loss, expected[names[name]], atol=1e-4, rtol=1e-4)

    return check


@pytest.fixture(scope="session")
def both_predict(photos: list[Tensor]) -> Callable[..., list[tuple[Detections, dict[str, Tensor]]]]:
    """Predict with both networks: our detections and torchvision's per photo, over a hundred in all."""

    def predict(theirs: nn.Module, ours: Detector) -> list[tuple[Detections, dict[str, Tensor]]]:
        with torch.inference_mode():
            expected = [theirs([photo])[0] for photo in photos]  # in a batch, padding changes its results
        found = ours.predict(photos)
        assert sum(map(len, found)) > 100
        return list(zip(found, expected, strict=True))

    return predict


@pytest.fixture(scope="session")
def assert_same_detections() -> Callable[[Detections, dict[str, Tensor]], None]:
    """Check for equal boxes, scores and labels in the same order; torchvision's label 0 is the background."""

    def check(found: Detections, expected: dict[str, Tensor]) -> None:
        assert len(found) == len(expected["boxes"])
        torch.testing.assert_close(torch.from_numpy(found.boxes), expected["boxes"], atol=1e-3, rtol=1e-4)
        torch.testing.assert_close(torch.from_numpy(found.scores), expected["scores"], atol=1e-4, rtol=1e-4)
        assert torch.equal(torch.from_numpy(found.labels) + 1, expected["labels"])

    return check
