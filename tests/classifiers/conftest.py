"""Small classifiers and painted photos for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from boxmask.classifiers.classifier import ClassifierConfig, ImageClassifier

CLASSES = ("red thing", "grüne", "蓝")
COLORS = ((210, 40, 30), (40, 180, 50), (40, 60, 220))


def small(seed: int = 0, **numbers: object) -> ImageClassifier:
    """One on a tiny backbone with random numbers, which are made lively enough to tell photos apart."""
    torch.manual_seed(seed)
    chosen = {
        "class_names": CLASSES,
        "backbone": "test_resnet",
        "shorter_side": 64,
        "longer_side": 64,
        **numbers,
    }
    classifier = ImageClassifier(ClassifierConfig(**chosen))  # type: ignore[arg-type]
    torch.nn.init.normal_(classifier.logits.weight, std=0.5)
    return classifier


@pytest.fixture(scope="session")
def build() -> Callable[..., ImageClassifier]:
    return small


@pytest.fixture(scope="module")
def classifier() -> ImageClassifier:
    """Not to be changed."""
    return small().eval()


@pytest.fixture(scope="session")
def paint() -> Callable[..., Tensor]:
    """(3, H, W) uint8 of one class's color, mottled; the same each time."""

    def painted(label: int, size: tuple[int, int] = (50, 70), seed: int = 0) -> Tensor:
        noise = torch.randint(-25, 26, (3, *size), generator=torch.Generator().manual_seed(seed))
        return (torch.tensor(COLORS[label])[:, None, None] + noise).clamp(0, 255).to(torch.uint8)

    return painted
