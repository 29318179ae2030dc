"""Small forms of all models with random weights, and a painted photo.

A new model needs one line in SMALL, and is then part of every test of this folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from boxmask.models.table import MODELS, AnyModel, make_config, model_entry
from boxmask.pipeline.selective_search.search import MODES
from boxmask.visualization.style import RGBImage

CLASSES = ("red thing", "grüne", "蓝")
SEARCH = replace(MODES["single"], width=150, scales=(30,), min_box_size=4)
LOW = {"score_threshold": 0.02}  # so that an untrained detector finds something
RPN = {"channels": 16, "rpn_channels": 16, "hidden": 16, "test_proposals": (60, 40), **LOW}
DENSE = {"channels": 32, "tower_channels": 32, **LOW}

SMALL: dict[str, dict[str, object]] = {
    "rcnn": {"search": SEARCH, "region_size": 64, "hidden": 16, **LOW},
    "fast-rcnn": {"search": SEARCH, "hidden": 16, **LOW},
    "faster-rcnn": RPN,
    "mask-rcnn": {**RPN, "mask_channels": 16},
    "retinanet": DENSE,
    "fcos": DENSE,
    "ssd": {},
    "fcn": {"hidden": ((16, 3),)},
    "unet": {"channels": (16, 16, 8, 8)},
    "deeplab-v3": {"channels": 16},
    "classifier": {},
}
SIZES = {"shorter_side": 96, "longer_side": 160}


@cache
def small(name: str, **options: object) -> AnyModel:
    """A small model of the table, with weights that tell photos and classes apart. Do not modify."""
    torch.manual_seed(0)
    sizes = {"shorter_side": 160} if name == "ssd" else SIZES
    values = {"backbone": "test_resnet", "class_names": CLASSES, **sizes, **SMALL[name], **options}
    model = model_entry(name).build(make_config(name, "default", **values), None)
    for part, layer in model.named_modules():
        is_head = isinstance(layer, nn.Linear | nn.Conv2d) and "backbone" not in part.split(".")
        if is_head and float(layer.weight.detach().std()) < 0.2:
            nn.init.normal_(layer.weight, std=0.2)
    return model.eval()  # type: ignore[return-value]


@pytest.fixture(scope="session")
def build() -> Callable[..., AnyModel]:
    """Call it with the name of a model, and options, for a small one. Do not modify it."""
    return small


@pytest.fixture(params=list(MODELS))
def model(request: pytest.FixtureRequest) -> AnyModel:
    """Each model of the table. Do not modify."""
    assert set(SMALL) == set(MODELS), "every model needs its line in SMALL"
    return small(str(request.param))


@pytest.fixture
def photo() -> RGBImage:
    """A photo of 120 x 150 with three objects on noise."""
    pixels = np.random.default_rng(0).integers(110, 150, (120, 150, 3), dtype=np.uint8)
    boxes = {
        (12, 10, 52, 60): (210, 40, 30),
        (70, 30, 130, 66): (40, 180, 50),
        (84, 76, 120, 112): (40, 60, 220),
    }
    for (x1, y1, x2, y2), color in boxes.items():
        pixels[y1:y2, x1:x2] = color
    return pixels
