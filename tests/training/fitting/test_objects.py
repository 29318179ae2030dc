"""The training objects at the size of the network's input."""

from __future__ import annotations

import numpy as np
import pytest

from boxmask.detectors.faster_rcnn import FasterRCNNConfig
from boxmask.detectors.ssd import SSDConfig
from boxmask.training.fitting.objects import Objects, describe_share, share_by_class, sides

OBJECTS = Objects(
    boxes=np.array([[0.0, 0.0, 100.0, 50.0], [10.0, 20.0, 30.0, 60.0]]),
    labels=np.array([0, 1]),
    photos=np.array([0, 1]),
    sizes=np.array([[160, 240], [640, 320]]),
)


def test_boxes_are_resized_with_their_photo() -> None:
    resized = OBJECTS.resized(FasterRCNNConfig(("a", "b")))  # 320 and at most 544 pixels
    np.testing.assert_allclose(resized[0], [0, 0, 200, 100])
    np.testing.assert_allclose(resized[1], OBJECTS.boxes[1] * 272 / 320)


def test_ssd_sees_squares() -> None:
    resized = OBJECTS.resized(SSDConfig(("a", "b")))
    np.testing.assert_allclose(resized[0], [0, 0, 100 * 320 / 240, 100])


def test_the_side_is_that_of_a_square_of_the_same_area() -> None:
    assert sides(np.array([[1.0, 1.0, 5.0, 10.0]])).tolist() == [6.0]


def test_shares_are_means_over_the_classes_that_occur() -> None:
    labels = np.array([0] * 8 + [3] * 2)
    chosen = np.array([True] * 4 + [False] * 4 + [True] * 2)
    assert share_by_class(chosen, labels) == 0.75
    assert share_by_class(np.zeros(0, bool), np.zeros(0, np.int64)) == 0.0
    assert describe_share(0.75, 2) == "75 % of the objects of an average class"
    assert describe_share(0.75, 1) == "75 % of the objects"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_sample_holds_no_more_objects(count: int) -> None:
    assert len(OBJECTS.sample(count)) == min(count, 2)
    assert OBJECTS.sample(5) is OBJECTS
