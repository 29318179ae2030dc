"""The coverage of objects by anchors, compared with the IoU of every object and every anchor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float
from torch import Tensor

from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.detectors.retinanet import RetinaNet, RetinaNetConfig
from boxmask.detectors.ssd import SSD, SSDConfig
from boxmask.geometry import boxes as box
from boxmask.geometry.boxes import anchor_shapes, pyramid_anchors
from boxmask.training.fitting.coverage import best_ious, default_box_levels, grids, map_cells, pyramid_levels

NAMES = ("a", "b")
SMALL = {"class_names": NAMES, "backbone": "test_resnet", "channels": 16}
TINY_SSD = SSDConfig(NAMES, "test_resnet", shorter_side=128)


def random_boxes(seed: int, size: tuple[int, int], count: int = 40) -> Float[np.ndarray, "N 4"]:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 1, (count, 2, 2)) * np.array(size[::-1])
    boxes = np.concatenate([corners.min(1), corners.max(1)], axis=1)
    return boxes[(boxes[:, 2:] - boxes[:, :2]).min(1) > 1]


def brute_force(boxes: Float[np.ndarray, "N 4"], anchors: Tensor) -> Float[np.ndarray, " N"]:
    return box.iou(torch.from_numpy(boxes), anchors.double()).amax(dim=1).numpy()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    size=st.tuples(st.integers(20, 200), st.integers(20, 200)),
    sizes=st.lists(st.floats(4, 300), min_size=1, max_size=3),
    ratios=st.lists(st.floats(0.2, 5), min_size=1, max_size=3),
)
def test_the_nearest_anchor_of_each_shape_is_the_best(
    seed: int, size: tuple[int, int], sizes: list[float], ratios: list[float]
) -> None:
    config = replace(FasterRCNNConfig(NAMES), anchor_sizes=(tuple(sizes),) * 4, aspect_ratios=tuple(ratios))
    padded = tuple(-(-side // 64) * 64 for side in size)
    shapes = [anchor_shapes(row, config.aspect_ratios) for row in config.anchor_sizes]
    cells = [(padded[0] // stride, padded[1] // stride) for stride in (8, 16, 32, 64)]
    anchors = torch.cat(pyramid_anchors(shapes, cells, (padded[0], padded[1])))
    boxes, levels = random_boxes(seed, size), pyramid_levels(config)
    ours = best_ious(boxes, np.zeros(len(boxes), int), levels, grids([size], levels, 64))
    np.testing.assert_allclose(ours, brute_force(boxes, anchors), atol=1e-6)


@pytest.mark.parametrize(
    ("network", "config"),
    [
        (FasterRCNN, FasterRCNNConfig(**SMALL)),  # type: ignore[arg-type]
        (FasterRCNN, FasterRCNNConfig(**SMALL, strides=(4, 8, 16, 32), anchor_sizes=((8, 12),) * 5)),  # type: ignore[arg-type]
        (RetinaNet, RetinaNetConfig(**SMALL)),  # type: ignore[arg-type]
    ],
)
def test_it_is_that_of_the_networks_own_anchors(network: Any, config: Any) -> None:
    size, model = (100, 170), network(config)
    pixels = torch.zeros(1, 3, 128, 192)
    anchors = torch.cat(model.pyramid_anchors(model.features(pixels), pixels))
    boxes, levels = random_boxes(0, size), pyramid_levels(config)
    ours = best_ious(boxes, np.zeros(len(boxes), int), levels, grids([size], levels, config.multiple_of))
    np.testing.assert_allclose(ours, brute_force(boxes, anchors), atol=1e-6)


@pytest.mark.parametrize("side", [128, 200, 320])
def test_it_is_that_of_ssds_own_default_boxes(side: int) -> None:
    config = replace(TINY_SSD, shorter_side=side)
    model = SSD(config)
    features = model.features(torch.zeros(1, 3, side, side))
    assert map_cells(config) == [x.shape[-1] for x in features]
    boxes, levels = random_boxes(side, (side, side)), default_box_levels(config)
    ours = best_ious(boxes, np.zeros(len(boxes), int), levels, grids([(side, side)], levels, 1))
    np.testing.assert_allclose(ours, brute_force(boxes, model.default_boxes(features)), atol=1e-5)


def test_each_box_meets_the_anchors_of_its_own_photo() -> None:
    """The larger photo has anchors where the smaller one has none."""
    config = FasterRCNNConfig(NAMES)
    levels = pyramid_levels(config)
    boxes = np.array([[96.0, 96.0, 112.0, 112.0]] * 2)
    small, large = best_ious(boxes, np.array([0, 1]), levels, grids([(64, 64), (128, 128)], levels, 64))
    assert small < 0.2
    assert large == 1.0
