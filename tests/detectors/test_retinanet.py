"""The parts of RetinaNet, worked by hand; tests/contract and tests/parity test the whole."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

from boxmask.detectors import presets
from boxmask.detectors.retinanet import RetinaNet, RetinaNetConfig
from boxmask.geometry.boxes import encode
from boxmask.geometry.matching import BACKGROUND, IGNORE
from boxmask.pipeline.images import Batch
from boxmask.types import Target

SMALL = RetinaNetConfig(
    ("cat", "dog"), "test_resnet", 64, 96, channels=16, tower_channels=16, norm_groups=4, giou_loss=False
)


@pytest.fixture
def network() -> RetinaNet:
    torch.manual_seed(0)
    return RetinaNet(SMALL).eval()


# ---------------------------------------------------------------- section 4: anchors


def test_the_papers_anchors() -> None:
    """Three sizes and three ratios at each of P3 to P7, from 32 to 813 pixels, as section 4 says."""
    sizes = presets.RETINANET["paper"]["anchor_sizes"]
    assert isinstance(sizes, tuple)
    assert [len(row) for row in sizes] == [3] * 5
    assert sizes[0] == pytest.approx((32, 40.32, 50.80), abs=0.01)
    assert sizes[-1][-1] == pytest.approx(812.7, abs=0.1)


ANCHORS = torch.tensor(
    [
        [10.0, 10, 30, 30],  # the first object itself
        [10, 10, 30, 20],  # IoU 0.5 with it
        [10, 10, 30, 19],  # 0.45
        [10, 10, 30, 17.8],  # 0.39
        [60, 60, 70, 70],  # 0.25 with the second object, its best
        [40, 40, 50, 50],  # nothing
    ]
)
OBJECTS = Target.of([[10, 10, 30, 30], [60, 60, 80, 80]], [0, 1])
NOTHING = Target.of([], [])


def test_objects_from_a_half_on_background_below_four_tenths(network: RetinaNet) -> None:
    matched = network.match_anchors(ANCHORS, [OBJECTS, NOTHING])
    assert matched[0].tolist() == [0, 0, IGNORE, BACKGROUND, 1, BACKGROUND]
    assert (matched[1] == BACKGROUND).all()


def test_ignored_objects_are_neither_object_nor_background(network: RetinaNet) -> None:
    crowd = Target.of([*OBJECTS.boxes.tolist(), [35, 35, 100, 100]], [0, 1, 1], [True, False, True])
    assert network.match_anchors(ANCHORS, [crowd]).tolist() == [[IGNORE] * 4 + [1, IGNORE]]


# ---------------------------------------------------------------- section 3 and 4.1: the loss


@pytest.mark.parametrize("giou", [False, True])
def test_the_loss_by_hand(network: RetinaNet, giou: bool) -> None:
    network.config = replace(SMALL, giou_loss=giou)
    generator = torch.Generator().manual_seed(0)
    logits, deltas = torch.randn(1, 6, 2, generator=generator), torch.randn(1, 6, 4, generator=generator) / 4
    losses = network.dense_loss(logits, deltas, ANCHORS, [OBJECTS])
    targets = torch.tensor([[1.0, 0], [1, 0], [0, 0], [0, 1], [0, 0]])
    focal = sigmoid_focal_loss(logits[0, [0, 1, 3, 4, 5]], targets, 0.25, 2.0, "sum")
    torch.testing.assert_close(losses["dense_class"], focal / 3)
    positive, answers = [0, 1, 4], OBJECTS.boxes[[0, 0, 1]]
    error = (deltas[0, positive] - encode(ANCHORS[positive], answers)).abs()
    expected = torch.where(error < 1 / 9, 4.5 * error**2, error - 1 / 18).sum() / 3
    if giou:
        expected = generalized_box_iou_loss(moved(ANCHORS[positive], deltas[0, positive]), answers, "mean")
    torch.testing.assert_close(losses["dense_box"], expected)


def test_generalized_iou_by_hand(network: RetinaNet) -> None:
    """Two squares of 400 pixels share 100; the union has 700, the square around both 900."""
    network.config = replace(SMALL, giou_loss=True)
    anchor, shifted = torch.tensor([[0.0, 0, 20, 20]]), Target.of([[10, 10, 30, 30]], [0])
    loss = network.dense_loss(torch.zeros(1, 1, 2), torch.zeros(1, 1, 4), anchor, [shifted])["dense_box"]
    assert loss.item() == pytest.approx(1 - (100 / 700 - 200 / 900))


def test_each_photo_has_the_same_weight(network: RetinaNet) -> None:
    """For any number of objects; without objects, its losses are not divided."""
    logits, deltas = torch.randn(2, 6, 2), torch.randn(2, 6, 4)
    both = network.dense_loss(logits, deltas, ANCHORS, [OBJECTS, NOTHING])
    first = network.dense_loss(logits[:1], deltas[:1], ANCHORS, [OBJECTS])
    focal = sigmoid_focal_loss(logits[1], torch.zeros(6, 2), 0.25, 2.0, "sum")
    torch.testing.assert_close(both["dense_class"], (first["dense_class"] + focal) / 2)
    torch.testing.assert_close(both["dense_box"], first["dense_box"] / 2)


def moved(anchors: Tensor, deltas: Tensor) -> Tensor:
    """R-CNN's equations 1 to 4."""
    size, center = anchors[:, 2:] - anchors[:, :2], (anchors[:, 2:] + anchors[:, :2]) / 2
    center, size = center + deltas[:, :2] * size, size * deltas[:, 2:].exp()
    return torch.cat([center - size / 2, center + size / 2], 1)


def test_the_initial_loss_follows_from_the_prior() -> None:
    """Section 4.1: with scores of 0.01 the background's loss is almost zero."""
    torch.manual_seed(0)
    network = RetinaNet(SMALL)
    losses = network.loss([torch.zeros(3, 64, 64, dtype=torch.uint8)], [NOTHING])
    anchors = 6 * (64 + 16 + 4 + 1)
    of_one = -0.75 * 0.01**2 * math.log(0.99)
    assert losses["dense_class"].item() == pytest.approx(of_one * anchors * 2, rel=0.3)
    assert losses["dense_box"].item() == 0


# ---------------------------------------------------------------- section 4.1: inference


def test_top_scores_per_level_then_nms_per_class(network: RetinaNet) -> None:
    """Two levels, the top two scores of the first, in a photo twice as large as in the network."""
    network.config = replace(SMALL, pre_nms_top_k=2)
    batch = Batch(torch.zeros(1, 3, 64, 64), [(50, 50)], [(100, 100)])
    near = [[10.0, 10, 30, 30], [10, 10, 30, 29], [40, 40, 60, 60]]
    anchors = [torch.tensor(near), torch.tensor([[10.0, 10, 30, 31], [52, 0, 60, 20]])]
    scores = [
        torch.tensor([[[0.9, 0.01], [0.8, 0.01], [0.3, 0.7]]]),
        torch.tensor([[[0.02, 0.4], [0.9, 0.02]]]),  # the second lies outside the photo
    ]
    still = [torch.zeros(1, len(level), 4) for level in anchors]
    (found,) = network.postprocess([s.logit() for s in scores], still, anchors, batch)
    assert found.names == ["cat", "dog"]
    torch.testing.assert_close(torch.from_numpy(found.scores), torch.tensor([0.9, 0.4]))
    assert found.boxes.tolist() == [[20, 20, 60, 60], [20, 20, 60, 62]]


def test_proposals_are_ignored(network: RetinaNet) -> None:
    photo = torch.randint(0, 256, (3, 64, 80), dtype=torch.uint8)
    network.config = replace(SMALL, score_threshold=0.001)
    with_them = network.predict([photo], [torch.zeros(0, 4)])[0]
    assert np.array_equal(with_them.boxes, network.predict([photo])[0].boxes)
    assert len(with_them) > 0


def test_levels_of_the_paper() -> None:
    """P3 to P7, each half as large as the one before, P6 from C5."""
    sizes = presets.RETINANET["paper"]["anchor_sizes"]
    network = RetinaNet(replace(SMALL, extra_levels=2, anchor_sizes=sizes))  # type: ignore[arg-type]
    features = network.features(torch.zeros(1, 3, 128, 256))
    assert [tuple(x.shape[2:]) for x in features] == [(16, 32), (8, 16), (4, 8), (2, 4), (1, 2)]
    assert network.fpn.strided[0].in_channels == network.backbone.channels[-1]
    logits, deltas = network(torch.zeros(1, 3, 128, 256))
    assert logits[0].shape == (1, 16 * 32 * 9, 2)
    assert deltas[-1].shape == (1, 2 * 9, 4)
