"""The last stage of all methods that score regions, worked by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from boxmask.pipeline.postprocess import decode_and_nms
from boxmask.types import Detections

REGIONS = torch.tensor([[10.0, 10, 30, 30], [11, 10, 31, 30], [50, 50, 70, 70], [90, 90, 120, 120]])
SCORES = torch.tensor([[0.9, 0.05], [0.8, 0.1], [0.005, 0.7], [0.3, 0.002]])
STILL = torch.zeros(4, 2, 4)


def found(
    scores: Tensor = SCORES, deltas: Tensor = STILL, original: tuple[int, int] = (100, 100), **options: object
) -> Detections:
    """In a photo that is 100 x 100 in the network."""
    usual = {"score_threshold": 0.01, "nms_iou": 0.5, "detections_per_image": 10}
    config = SimpleNamespace(class_names=("cat", "dog"), **{**usual, **options})
    return decode_and_nms(REGIONS[: len(scores)], scores, deltas, ((100, 100), original), config)


def test_highest_score_first_nms_per_class_and_clipped() -> None:
    one = found()
    assert one.names == ["cat", "dog", "cat", "dog"]
    np.testing.assert_allclose(one.scores, [0.9, 0.7, 0.3, 0.1], rtol=1.3e-6)
    assert one.boxes.tolist() == [[10, 10, 30, 30], [50, 50, 70, 70], [90, 90, 100, 100], [11, 10, 31, 30]]


def test_boxes_are_in_pixels_of_the_photo() -> None:
    one = found(original=(50, 200))
    assert one.size == (50, 200)
    assert one.boxes[0].tolist() == [20, 5, 60, 15]


def test_only_scores_above_the_threshold_are_kept() -> None:
    assert found(score_threshold=0.3).scores.tolist() == pytest.approx([0.9, 0.7])
    assert len(found(score_threshold=0.95)) == 0


def test_nms_iou_of_one_class() -> None:
    """The first two share 19 of 21 columns."""
    assert found(nms_iou=19 / 21 - 1e-3).scores.tolist() == pytest.approx([0.9, 0.7, 0.3, 0.1])
    assert found(nms_iou=19 / 21 + 1e-3).scores.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.3, 0.1, 0.05])


def test_detections_per_image_over_all_classes() -> None:
    assert found(detections_per_image=2).names == ["cat", "dog"]


def test_each_class_has_its_own_deltas() -> None:
    """A cat half its width to the right, a dog twice as high."""
    deltas = torch.zeros(1, 2, 4)
    deltas[0, 0, 0], deltas[0, 1, 3] = 0.5, math.log(2)
    one = found(torch.tensor([[0.9, 0.6]]), deltas)
    np.testing.assert_allclose(one.boxes, [[20, 10, 40, 30], [10, 0, 30, 40]], rtol=1.3e-6, atol=1e-5)


def test_nms_uses_decoded_boxes() -> None:
    """The third region moves onto the first, which has a higher score."""
    deltas = STILL.clone()
    deltas[2, 0, :2] = -2  # sides of 20
    scores = torch.tensor([[0.9, 0.0], [0.0, 0.0], [0.8, 0.0], [0.0, 0.0]])
    assert found(scores).scores.tolist() == pytest.approx([0.9, 0.8])
    assert found(scores, deltas).scores.tolist() == pytest.approx([0.9])


def test_boxes_outside_the_photo_are_dropped() -> None:
    deltas = STILL.clone()
    deltas[:, :, 0] = 50
    assert len(found(deltas=deltas)) == 0


def test_no_regions_give_no_detections() -> None:
    one = found(torch.zeros(0, 2), torch.zeros(0, 2, 4))
    assert (one.boxes.shape, one.class_names, one.size) == ((0, 4), ("cat", "dog"), (100, 100))


def test_boxes_that_nms_removes_vote_with_their_scores() -> None:
    """The first two share 19 of 21 columns; the cat of 0.9 and that of 0.8 meet at 10 + 0.8 / 1.7."""
    one = found(voting_iou=0.9)
    left = 10 + 0.8 / 1.7
    np.testing.assert_allclose(one.boxes[0], [left, 10, left + 20, 30], rtol=1.3e-6)
    assert one.boxes[1:3].tolist() == [[50, 50, 70, 70], [90, 90, 100, 100]]
    assert np.array_equal(one.scores, found().scores)
    np.testing.assert_allclose(one.boxes[3], [10 + 2 / 3, 10, 30 + 2 / 3, 30], rtol=1.3e-6)
    assert found(voting_iou=0.95).boxes.tolist() == found().boxes.tolist()
    assert len(found(voting_iou=0.9, score_threshold=0.95)) == 0
