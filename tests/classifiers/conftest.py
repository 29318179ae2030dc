"""Small classifiers and painted photos for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from boxmask.classifiers.classifier import ClassifierConfig, ImageClassifier

CLASSES = ("red thing", "grüne", "蓝")
COLORS = ((210, 40, 30), (40, 180, 50), (40, 60, 220))


def small(seed: int = 0, **options: object) -> ImageClassifier:
    """A tiny backbone with random weights, and logits spread enough to tell photos apart."""
    torch.manual_seed(seed)
    chosen = {
        "class_names": CLASSES,
        "backbone": "test_resnet",
        "shorter_side": 64,
        "longer_side": 64,
        **options,
    }
    classifier = ImageClassifier(ClassifierConfig(**chosen))  # type: ignore[arg-type]
    torch.nn.init.normal_(classifier.logits.weight, std=0.5)
    return classifier


@pytest.fixture(scope="session")
def build() -> Callable[..., ImageClassifier]:
    return small


@pytest.fixture(scope="module")
def classifier() -> ImageClassifier:
    """Do not modify."""
    return small().eval()


@pytest.fixture(scope="session")
def paint() -> Callable[..., Tensor]:
    """Photos (3, H, W) in the color of a class, with noise; the same for the same arguments."""

    def painted(label: int, size: tuple[int, int] = (50, 70), seed: int = 0) -> Tensor:
        noise = torch.randint(-25, 26, (3, *size), generator=torch.Generator().manual_seed(seed))
        return (torch.tensor(COLORS[label])[:, None, None] + noise).clamp(0, 255).to(torch.uint8)

    return painted
