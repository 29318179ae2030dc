"""The parts of FCOS, worked by hand; tests/contract and tests/parity test the whole."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

from boxmask.detectors import presets
from boxmask.detectors.fcos import FCOS, FCOSConfig
from boxmask.geometry.points import Points
from boxmask.pipeline.images import Batch
from boxmask.types import Target

SMALL = FCOSConfig(("cat", "dog"), "test_resnet", 64, 96, channels=16, tower_channels=16, norm_groups=4)
OBJECTS = Target.of([[10, 10, 30, 30], [40, 40, 60, 60]], [0, 1])
NOTHING = Target.of([], [])


@pytest.fixture
def network() -> FCOS:
    torch.manual_seed(0)
    return FCOS(SMALL).eval()


# ---------------------------------------------------------------- sections 3.1 and 3.2: places and levels


def test_points_are_the_centers_of_their_cells(network: FCOS) -> None:
    batch = Batch(torch.zeros(1, 3, 64, 128), [(64, 128)], [(64, 128)])
    levels = network.points(network.features(batch.pixels), batch)
    assert [len(level.points) for level in levels] == [8 * 16, 4 * 8, 2 * 4, 2]
    assert levels[0].points[[0, 1, 16]].tolist() == [[4, 4], [12, 4], [4, 12]]
    assert levels[3].points.tolist() == [[32, 32], [96, 32]]
    assert [level.strides[0].item() for level in levels] == [8, 16, 32, 64]
    assert [level.ranges[0].tolist() for level in levels] == [[0, 32], [32, 64], [64, 128], [128, math.inf]]


def test_levels_of_the_paper() -> None:
    """P3 to P7, P6 from P5; 64, 128, 256 and 512 pixels between them."""
    network = FCOS(replace(SMALL, extra_levels=2, regress_ranges=presets.FCOS["paper"]["regress_ranges"]))  # type: ignore[arg-type]
    logits, distances, centerness = network(torch.zeros(1, 3, 128, 256))
    cells = [16 * 32, 8 * 16, 4 * 8, 2 * 4, 1 * 2]
    assert [x.shape for x in logits] == [(1, n, 2) for n in cells]
    assert [x.shape for x in distances] == [(1, n, 4) for n in cells]
    assert [x.shape for x in centerness] == [(1, n, 1) for n in cells]
    assert network.strides == [8, 16, 32, 64, 128]
    assert network.fpn.strided[0].in_channels == 16


@pytest.mark.parametrize("exponential", [False, True])
def test_distances_are_never_negative(network: FCOS, exponential: bool) -> None:
    """exp(s_i x) or relu(s_i x), with a learned scale per level."""
    network.config = replace(SMALL, exponential_distances=exponential)
    torch.nn.init.normal_(network.distances.weight, std=0.1)
    features = network.features(torch.randn(1, 3, 64, 64))
    network.scales.data.copy_(torch.tensor([1.0, 2.0, 1.0, 1.0]))
    second = network.heads(features)[1][1]
    network.scales.data.fill_(1.0)
    plain = network.heads(features)[1][1]
    assert (plain >= 0).all()
    torch.testing.assert_close(second, plain**2 if exponential else plain * 2, rtol=1e-3, atol=1e-3)


# ---------------------------------------------------------------- equation 2: the loss


PLACES = Points(
    torch.tensor([[20.0, 20], [16, 24], [50, 50], [4, 4]]),
    torch.full((4,), 8.0),
    torch.tensor([[0.0, 32.0]]).expand(4, 2),
)


def test_the_loss_by_hand(network: FCOS) -> None:
    """Two points match the first object, one the second; the second photo has no objects."""
    generator = torch.Generator().manual_seed(0)
    logits, centerness = (torch.randn(2, 4, n, generator=generator) for n in (2, 1))
    distances = 0.5 + torch.rand(2, 4, 4, generator=generator)
    losses = network.dense_loss([logits, distances, centerness], PLACES, [OBJECTS, NOTHING])
    targets = torch.zeros(2, 4, 2)
    targets[0, [0, 1, 2], [0, 0, 1]] = 1
    focal = sigmoid_focal_loss(logits, targets, 0.25, 2.0, "sum")
    torch.testing.assert_close(losses["dense_class"], focal / 3)
    far, points = distances[0, :3] * 8, PLACES.points[:3]
    boxes = torch.cat([points - far[:, :2], points + far[:, 2:]], 1)
    answers = OBJECTS.boxes[[0, 0, 1]]
    torch.testing.assert_close(losses["dense_box"], generalized_box_iou_loss(boxes, answers, "mean"))
    wanted = torch.tensor([1, math.sqrt(6 / 14 * 6 / 14), 1])
    expected = F.binary_cross_entropy_with_logits(centerness[0, :3, 0], wanted)
    torch.testing.assert_close(losses["dense_centerness"], expected)


def test_ignored_objects_are_neither_object_nor_background(network: FCOS) -> None:
    outputs = [torch.randn(1, 4, 2), torch.ones(1, 4, 4), torch.zeros(1, 4, 1)]
    crowd = Target.of(OBJECTS.boxes, OBJECTS.labels, [True, False])
    losses = network.dense_loss(outputs, PLACES, [crowd])
    targets = torch.tensor([[0.0, 1], [0, 0]])
    focal = sigmoid_focal_loss(outputs[0][0, 2:], targets, 0.25, 2.0, "sum")
    torch.testing.assert_close(losses["dense_class"], focal)


# ---------------------------------------------------------------- section 3.3: the score


def test_a_score_is_the_root_of_class_and_centerness(network: FCOS) -> None:
    network.config = replace(SMALL, score_threshold=0.3, pre_nms_top_k=2)
    scores = torch.tensor([[0.9, 0.05], [0.5, 0.8], [0.1, 0.9]])
    centerness = torch.tensor([[0.9], [0.5], [0.05]])
    score, row, label = network.top_points(scores.logit(), centerness.logit())
    torch.testing.assert_close(score, torch.tensor([0.9, math.sqrt(0.4)]))
    assert (row.tolist(), label.tolist()) == ([0, 1], [0, 1])
    network.config = replace(SMALL, score_threshold=0.3)
    assert len(network.top_points(scores.logit(), centerness.logit())[0]) == 3  # 0.9 * 0.05 is below


def test_boxes_of_all_levels_are_in_pixels_of_the_photo(network: FCOS) -> None:
    batch = Batch(torch.zeros(1, 3, 64, 64), [(50, 50)], [(100, 100)])
    fine = Points(torch.tensor([[20.0, 20], [45, 45]]), torch.full((2,), 8.0), torch.zeros(2, 2))
    coarse = Points(torch.tensor([[22.0, 20]]), torch.full((1,), 16.0), torch.zeros(1, 2))
    logits = [torch.tensor([[[0.9, 0.001], [0.001, 0.4]]]).logit(), torch.tensor([[[0.8, 0.001]]]).logit()]
    distances = [torch.ones(1, 2, 4), torch.full((1, 1, 4), 0.5)]
    centerness = [torch.full((1, 2, 1), 9.0), torch.full((1, 1, 1), 9.0)]
    (found,) = network.postprocess(logits, distances, centerness, [fine, coarse], batch)
    assert found.names == ["cat", "dog"]
    assert found.boxes.tolist() == [[24, 24, 56, 56], [74, 74, 100, 100]]


def test_proposals_are_ignored(network: FCOS) -> None:
    photo = torch.randint(0, 256, (3, 64, 80), dtype=torch.uint8)
    with_them = network.predict([photo], [torch.zeros(0, 4)])[0]
    assert np.array_equal(with_them.boxes, network.predict([photo])[0].boxes)
    assert len(with_them) > 0
