from __future__ import annotations

import numpy as np
import torch

from boxmask.pipeline.selective_search.search import Hierarchy
from boxmask.prediction.proposals import draw_boxes, in_mean_colors, regions_left
from boxmask.visualization.boxes import draw_boxes

LABELS = np.array([[0, 0, 1], [2, 3, 3]], np.int32)
HIERARCHY = Hierarchy(
    "hsv F k=1", LABELS, np.zeros((7, 4), np.int32), np.array([[0, 2], [1, 3], [4, 5]], np.int32)
)


def groups(labels: np.ndarray) -> set[frozenset[int]]:
    """Which of the first regions are one."""
    return {frozenset(LABELS[labels == region].tolist()) for region in np.unique(labels)}


def test_regions_left_undo_the_last_merges() -> None:
    assert groups(regions_left(HIERARCHY, 9)) == {frozenset([n]) for n in range(4)}
    assert groups(regions_left(HIERARCHY, 3)) == {frozenset([0, 2]), frozenset([1]), frozenset([3])}
    assert groups(regions_left(HIERARCHY, 2)) == {frozenset([0, 2]), frozenset([1, 3])}
    assert groups(regions_left(HIERARCHY, 1)) == {frozenset(range(4))}


def test_regions_are_filled_with_their_mean() -> None:
    picture = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    filled = in_mean_colors(picture, regions_left(HIERARCHY, 4))
    assert filled[0, 0].tolist() == filled[0, 1].tolist() == [2, 2, 4]  # halves go to the even number
    assert filled[1, 0].tolist() == picture[1, 0].tolist()


def test_boxes_are_drawn_inside_the_photo_which_is_kept() -> None:
    photo = np.zeros((20, 30, 3), np.uint8)
    drawn = draw_boxes(photo, torch.tensor([[0.0, 0, 30, 20], [5, 5, 5.5, 5.5]]))
    assert drawn[0, 0].any()
    assert drawn[19, 29].any()
    assert not drawn[10, 10].any()
    assert not photo.any()
