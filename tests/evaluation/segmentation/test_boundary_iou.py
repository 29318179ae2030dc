"""Boundary IoU against its definition: eroded masks, class by class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_erosion

from boxmask.evaluation.segmentation.boundary_iou import (
    boundary_counts,
    boundary_distance,
    boundary_iou,
    near_contour,
)
from boxmask.types import IGNORED


def boundary(mask: np.ndarray, distance: int) -> np.ndarray:
    """The authors' mask_to_boundary: what an erosion by a square removes, at the edge of the photo too."""
    side = 2 * distance + 1
    return mask & ~binary_erosion(mask, np.ones((side, side)), border_value=0)


def blocks(seed: int, size: tuple[int, int], num_classes: int) -> np.ndarray:
    """A label map made of blocks."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, num_classes, (-(-size[0] // 7), -(-size[1] // 7)), dtype=np.uint8)
    return np.kron(coarse, np.ones((7, 7), dtype=np.uint8))[: size[0], : size[1]]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 999), height=st.integers(1, 60), width=st.integers(1, 60), ratio=st.floats(0.005, 0.2)
)
def test_counts_equal_the_definition(seed: int, height: int, width: int, ratio: float) -> None:
    truth, predicted = (blocks(seed + n, (height, width), 4) for n in range(2))
    distance = boundary_distance((height, width), ratio)
    intersection, union = boundary_counts(truth, predicted, 5, ratio)
    for label in range(5):
        a, b = boundary(truth == label, distance), boundary(predicted == label, distance)
        assert intersection[label] == (a & b).sum()
        assert union[label] == (a | b).sum()


def test_distance_is_two_percent_of_the_diagonal() -> None:
    assert boundary_distance((300, 400)) == 10
    assert boundary_distance((1, 1)) == 1
    assert boundary_distance((644, 797)) == 20


def test_perfect_wrong_and_absent_classes() -> None:
    truth = blocks(0, (50, 50), 3)
    assert boundary_iou(truth, truth, 4)[:3].tolist() == [1.0, 1.0, 1.0]
    assert np.isnan(boundary_iou(truth, truth, 4)[3])
    assert boundary_iou(np.zeros((9, 9), np.uint8), np.ones((9, 9), np.uint8), 2).tolist() == [0.0, 0.0]


def test_shifted_square_lowers_boundary_iou_more_than_iou() -> None:
    truth, shifted = np.zeros((400, 400), np.uint8), np.zeros((400, 400), np.uint8)
    truth[50:350, 50:350] = 1
    shifted[54:354, 50:350] = 1
    both, union = ((truth & shifted).sum(), (truth | shifted).sum())
    assert both / union > 0.97
    assert boundary_iou(truth, shifted, 2)[1] < 0.8


def test_ignored_pixels_count_nowhere_and_have_no_contour() -> None:
    truth = np.zeros((40, 40), np.uint8)
    truth[:, 20:] = IGNORED
    assert not near_contour(truth, 2)[5:35, 5:20].any()
    predicted = np.zeros((40, 40), np.uint8)
    predicted[:, 20:] = 1
    assert boundary_iou(truth, predicted, 2)[0] == 1.0
    assert np.isnan(boundary_iou(truth, predicted, 2)[1])
    nothing = np.full((5, 5), IGNORED, np.uint8)
    assert np.isnan(boundary_iou(nothing, predicted[:5, :5], 2)).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1)])
def test_thin_maps_are_all_boundary(size: tuple[int, int]) -> None:
    assert near_contour(np.zeros(size, np.uint8), 3).all()
