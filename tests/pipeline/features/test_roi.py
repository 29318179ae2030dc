"""Which level a region is read from."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops.poolers import LevelMapper

from boxmask.pipeline.features.roi import assign_levels, to_rois

STRIDES = (4, 8, 16, 32)


def roi(width: float, height: float) -> torch.Tensor:
    return torch.tensor([[0.0, 10.0, 20.0, 10.0 + width, 20.0 + height]])


def test_a_row_for_each_proposal() -> None:
    rois = to_rois([torch.ones(2, 4), torch.zeros(0, 4), torch.full((1, 4), 7.0)])
    assert rois.tolist() == [[0, 1, 1, 1, 1], [0, 1, 1, 1, 1], [2, 7, 7, 7, 7]]


def test_no_proposals_at_all() -> None:
    assert to_rois([torch.zeros(0, 4)] * 2).shape == (0, 5)
    assert assign_levels(torch.zeros(0, 5), STRIDES, (224, 16)).shape == (0,)


@pytest.mark.parametrize(
    ("side", "level"), [(223.9, 1), (224, 2), (447.9, 2), (448, 3), (5000, 3), (112, 1), (1, 0), (0, 0)]
)
def test_equation_1_by_hand(side: float, level: int) -> None:
    assert assign_levels(roi(side, side), STRIDES, (224, 16)).tolist() == [level]


def test_half_the_canonical_size_is_one_level_further() -> None:
    assert assign_levels(roi(112, 112), STRIDES, (112, 16)).tolist() == [2]


lengths = st.floats(0.015625, 3000, width=32)


@settings(deadline=None)
@given(st.lists(st.tuples(lengths, lengths), min_size=1))
def test_equal_to_torchvision(sides: list[tuple[float, float]]) -> None:
    rois = torch.cat([roi(*pair) for pair in sides])
    theirs = LevelMapper(2, 5, 224, 4)([rois[:, 1:]])
    assert torch.equal(assign_levels(rois, STRIDES, (224, 16)), theirs)


def test_equal_to_torchvision_at_the_edges() -> None:
    """Where floating point decides: sides at and next to each power of two."""
    powers = torch.tensor([56.0, 112, 224, 448, 896])
    sides = torch.cat([powers, powers.nextafter(torch.zeros(5)), powers.nextafter(powers * 2)])
    rois = torch.stack([torch.zeros(15), torch.zeros(15), torch.zeros(15), sides, sides], dim=1)
    assert torch.equal(assign_levels(rois, STRIDES, (224, 16)), LevelMapper(2, 5, 224, 4)([rois[:, 1:]]))
