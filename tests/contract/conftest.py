"""Small forms of all detectors, and painted photos for them.

A new detector needs one line in SMALL, and is then part of every test of this folder.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from boxmask.detectors.contract import Detector
from boxmask.detectors.table import DETECTORS
from boxmask.masks import Masks
from boxmask.models.table import make_config, model_entry
from boxmask.pipeline.selective_search.search import MODES
from boxmask.types import Target
from boxmask.weights.imagenet import backbone_weights

CLASSES = ("red thing", "grüne", "蓝")
COLORS = ((210, 40, 30), (40, 180, 50), (40, 60, 220))
SIZES = {"shorter_side": 96, "longer_side": 160}

SEARCH = replace(MODES["single"], width=150, scales=(30,), min_box_size=4)

FEW_MAPS = {  # of SSD: each map has default boxes that fit an object of the painted photo
    "shorter_side": 160,
    "strides": (16,),
    "extra_layers": ((64, 3, 2, 1),),
    "scales": (0.3, 0.38, 0.42),
    "aspect_ratios": ((2,), (2,)),
}

SMALL: dict[str, dict[str, object]] = {  # quick, and finds something without training
    "rcnn": {**SIZES, "search": SEARCH, "hidden": 64, "score_threshold": 0.01},
    "fast-rcnn": {**SIZES, "search": SEARCH, "stride": 8, "hidden": 64, "score_threshold": 0.01},
    "faster-rcnn": {**SIZES, "channels": 64, "rpn_channels": 64, "hidden": 64, "score_threshold": 0.01},
    "mask-rcnn": {
        **SIZES,
        "channels": 64,
        "rpn_channels": 64,
        "hidden": 64,
        "mask_channels": 64,
        "score_threshold": 0.01,
    },
    "retinanet": {**SIZES, "channels": 64, "tower_channels": 64, "score_threshold": 0.01},
    "fcos": {**SIZES, "channels": 64, "tower_channels": 64, "score_threshold": 0.01},
    "ssd": {**SIZES, **FEW_MAPS},
}

Build = Callable[..., Detector]


def lively(detector: Detector) -> Detector:
    """Raise small initial weights, so that scores lie well apart and rounding cannot change their order."""
    for name, layer in detector.named_modules():
        is_head = isinstance(layer, nn.Linear | nn.Conv2d) and "backbone" not in name.split(".")
        if is_head and float(layer.weight.detach().std()) < 0.02:
            nn.init.normal_(layer.weight, std=0.05)
    return detector


@pytest.fixture(params=list(DETECTORS), scope="module")
def model(request: pytest.FixtureRequest) -> str:
    """The name of each detector of the table."""
    assert set(SMALL) == set(DETECTORS), "every detector needs its line in SMALL"
    return str(request.param)


@pytest.fixture(scope="session")
def pretrained() -> dict[str, Tensor] | None:
    """ImageNet weights of the default backbone."""
    return backbone_weights("tf_efficientnet_lite0")


@pytest.fixture(scope="module")
def build(model: str, pretrained: dict[str, Tensor]) -> Build:
    """Build the small form of the model, with a seed, class names and options."""

    def make(seed: int = 0, class_names: tuple[str, ...] = CLASSES, **options: object) -> Detector:
        torch.manual_seed(seed)
        config = make_config(model, "default", **{**SMALL[model], "class_names": class_names, **options})
        return model_entry(model).build(config, pretrained)

    return make


@pytest.fixture(scope="module")
def detector(build: Build) -> Detector:
    """An untrained one that finds many objects. Do not modify."""
    return lively(build()).eval()


def paint(size: tuple[int, int], boxes: list[tuple[int, ...]], labels: list[int]) -> Tensor:
    """(3, H, W) uint8: rectangles in their class's color on noise, the same for the same arguments."""
    seed = zlib.crc32(repr((size, boxes, labels)).encode())
    noise = torch.randint(110, 150, (3, *size), generator=torch.Generator().manual_seed(seed))
    photo = noise.to(torch.uint8)
    for (x1, y1, x2, y2), label in zip(boxes, labels, strict=True):
        photo[:, y1:y2, x1:x2] = torch.tensor(COLORS[label], dtype=torch.uint8)[:, None, None]
    return photo


BOXES, LABELS = [(12, 10, 52, 60), (70, 30, 130, 66), (84, 76, 120, 112)], [0, 1, 2]


@pytest.fixture
def photo() -> Tensor:
    """A photo of 120 x 150 with an object of each class."""
    return paint((120, 150), BOXES, LABELS)


@pytest.fixture
def target() -> Target:
    """The labels of `photo`, with masks."""
    return replace(Target.of(BOXES, LABELS), masks=rectangles(BOXES, (120, 150)))


def rectangles(boxes: list[tuple[int, ...]], size: tuple[int, int]) -> Masks:
    """Masks of all pixels of each box."""
    crops = [np.ones((y2 - y1, x2 - x1), dtype=np.bool_) for x1, y1, x2, y2 in boxes]
    return Masks.from_crops(crops, [(x1, y1) for x1, y1, _, _ in boxes], size)


@pytest.fixture
def empty_photo() -> Tensor:
    """A photo of 90 x 150 without objects."""
    return paint((90, 150), [], [])
