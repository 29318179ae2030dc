"""Boundary IoU against the definition, class by class, with masks eroded."""

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


def rim(mask: np.ndarray, distance: int) -> np.ndarray:
    """The authors' mask_to_boundary: what an erosion by a square takes away, the photo's edge included."""
    side = 2 * distance + 1
    return mask & ~binary_erosion(mask, np.ones((side, side)), border_value=0)


def fields(seed: int, size: tuple[int, int], num_classes: int) -> np.ndarray:
    """Blocks of labels."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, num_classes, (-(-size[0] // 7), -(-size[1] // 7)), dtype=np.uint8)
    return np.kron(coarse, np.ones((7, 7), dtype=np.uint8))[: size[0], : size[1]]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 999), height=st.integers(1, 60), width=st.integers(1, 60), ratio=st.floats(0.005, 0.2)
)
def test_it_is_the_papers(seed: int, height: int, width: int, ratio: float) -> None:
    truth, predicted = (fields(seed + n, (height, width), 4) for n in range(2))
    distance = boundary_distance((height, width), ratio)
    shared, either = boundary_counts(truth, predicted, 5, ratio)
    for label in range(5):
        a, b = rim(truth == label, distance), rim(predicted == label, distance)
        assert shared[label] == (a & b).sum()
        assert either[label] == (a | b).sum()


def test_the_distance_is_two_percent_of_the_diagonal() -> None:
    assert boundary_distance((300, 400)) == 10
    assert boundary_distance((1, 1)) == 1
    assert boundary_distance((644, 797)) == 20


def test_perfect_wrong_and_absent() -> None:
    truth = fields(0, (50, 50), 3)
    assert boundary_iou(truth, truth, 4)[:3].tolist() == [1.0, 1.0, 1.0]
    assert np.isnan(boundary_iou(truth, truth, 4)[3])
    assert boundary_iou(np.zeros((9, 9), np.uint8), np.ones((9, 9), np.uint8), 2).tolist() == [0.0, 0.0]


def test_it_sees_rims_where_iou_sees_insides() -> None:
    truth, shifted = np.zeros((400, 400), np.uint8), np.zeros((400, 400), np.uint8)
    truth[50:350, 50:350] = 1
    shifted[54:354, 50:350] = 1
    both, either = ((truth & shifted).sum(), (truth | shifted).sum())
    assert both / either > 0.97
    assert boundary_iou(truth, shifted, 2)[1] < 0.8


def test_what_is_not_labeled_counts_nowhere_and_has_no_contour() -> None:
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
def test_slivers_are_all_rim(size: tuple[int, int]) -> None:
    assert near_contour(np.zeros(size, np.uint8), 3).all()
