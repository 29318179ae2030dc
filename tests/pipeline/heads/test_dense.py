"""The shared parts of one-stage detectors, worked by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from boxmask.geometry.boxes import anchor_shapes, pyramid_anchors
from boxmask.pipeline.heads.dense import (
    Tower,
    cat_levels,
    flatten,
    init_prior,
    init_small,
    logit,
    matched_objects,
    top_k_scores,
)
from boxmask.pipeline.postprocess import nms_top_k
from boxmask.types import Target


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("groups", [0, 4])
def test_a_tower_keeps_the_maps_size(groups: int, depthwise: bool) -> None:
    tower = Tower(6, 8, 2, groups, depthwise)
    found = tower(torch.randn(2, 6, 5, 7))
    assert found.shape == (2, 8, 5, 7)
    assert (found >= 0).all()
    assert tower.channels == 8
    assert sum(isinstance(layer, nn.GroupNorm) for layer in tower.modules()) == 2 * bool(groups)


def test_a_tower_of_depth_0_returns_its_input() -> None:
    x = torch.randn(1, 6, 2, 2)
    tower = Tower(6, 8, 0)
    assert tower(x) is x
    assert tower.channels == 6


def test_depthwise_towers_are_smaller() -> None:
    full, separated = (sum(p.numel() for p in Tower(64, 64, 2, 0, d).parameters()) for d in (False, True))
    assert separated * 7 < full


@pytest.mark.parametrize("channels", [64, 256])
def test_narrow_layers_start_with_a_larger_std(channels: int) -> None:
    """The outputs have the same variance: std 0.01 at 256 channels, twice that at 64."""
    conv = nn.Conv2d(channels, 64, 3)
    init_small(conv)
    assert float(conv.weight.detach().std()) == pytest.approx(0.01 * (256 / channels) ** 0.5, rel=0.02)
    assert not conv.bias.any()


def test_every_score_starts_at_the_prior() -> None:
    conv = nn.Conv2d(8, 3, 1)
    nn.init.zeros_(conv.weight)
    init_prior(conv, 0.01)
    torch.testing.assert_close(conv(torch.randn(1, 8, 2, 2)).sigmoid(), torch.full((1, 3, 2, 2), 0.01))


def test_flattened_outputs_have_the_order_of_the_anchors() -> None:
    """Anchor a of the cell in row y, column x outputs (a, y, x) in two values that differ by half."""
    anchors, rows, columns = 3, 2, 4
    parts = (torch.arange(n).float() for n in (anchors, rows, columns))
    a, y, x = torch.meshgrid(*parts, indexing="ij")
    says = 100 * a + 10 * y + x
    flat = flatten(torch.stack([says, says + 0.5], 1).reshape(1, anchors * 2, rows, columns), 2)[0]
    assert flat.shape == (24, 2)
    shapes = anchor_shapes((8,), (0.5, 1.0, 2.0))
    (boxes,) = pyramid_anchors([shapes], [(rows, columns)], (rows * 10, columns))
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    expected = centers[:, 1] + centers[:, 0] + 100 * torch.arange(3).repeat(8)
    torch.testing.assert_close(flat, torch.stack([expected, expected + 0.5], 1))


SCORES = torch.tensor([[0.1, 0.9], [0.4, 0.05], [0.3, 0.6]])


def test_top_k_above_the_threshold() -> None:
    score, row, label = top_k_scores(SCORES, 0.3, 10)
    assert score.tolist() == pytest.approx([0.9, 0.6, 0.4])
    assert (row.tolist(), label.tolist()) == ([0, 2, 1], [1, 1, 0])
    assert top_k_scores(SCORES, 0.3, 2)[0].tolist() == pytest.approx([0.9, 0.6])
    assert [len(one) for one in top_k_scores(SCORES, 0.95, 2)] == [0, 0, 0]


def test_logits_select_the_same() -> None:
    expected = top_k_scores(SCORES, 0.3 - 1e-4, 10)
    found = top_k_scores(torch.logit(SCORES), logit(0.3 - 1e-4), 10)
    torch.testing.assert_close(found[0].sigmoid(), expected[0])
    assert torch.equal(found[1], expected[1])
    assert torch.equal(found[2], expected[2])


def test_a_threshold_of_0() -> None:
    assert len(top_k_scores(torch.logit(SCORES), logit(0.0), 10)[0]) == 6


def test_nms_runs_over_all_levels() -> None:
    """In a photo twice as large: boxes are clipped, slivers dropped by `min_box_size`; NMS spans levels."""
    fine = torch.tensor([[0.0, 0, 10, 10], [50, 0, 60, 10]]), torch.tensor([0.5, 0.9]), torch.tensor([0, 1])
    coarse = torch.tensor([[-5.0, 0, 10, 10]]), torch.tensor([0.8]), torch.tensor([0])
    config = SimpleNamespace(class_names=("a", "b"), min_box_size=0.01, nms_iou=0.5, detections_per_image=9)
    boxes, scores, labels = cat_levels([fine, coarse])
    sizes = ((50, 50), (100, 100))
    found = nms_top_k(boxes, scores, labels, sizes, config, config.min_box_size)
    assert (found.boxes.tolist(), found.names) == ([[0, 0, 20, 20]], ["a"])
    assert nms_top_k(boxes, scores, labels, sizes, config, 0.0).names == ["b", "a"]
    scores[1] = math.nan  # below the threshold
    assert nms_top_k(boxes, scores, labels, sizes, config, 0.0).names == ["a"]


def test_matched_objects_of_a_batch() -> None:
    targets = [
        Target.of([[0, 0, 1, 1], [0, 0, 2, 2]], [3, 4]),
        Target.of([], []),
        Target.of([[0, 0, 5, 5]], [5]),
    ]
    matched = torch.tensor([[-1, 1, -2, 0], [-1, -1, -1, -1], [-1, 0, -1, -1]])
    found = matched_objects(matched, targets)
    assert (found.image.tolist(), found.row.tolist()) == ([0, 0, 2], [1, 3, 1])
    assert found.labels.tolist() == [4, 3, 5]
    assert found.boxes[:, 2].tolist() == [2, 1, 5]
