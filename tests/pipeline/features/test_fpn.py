"""The pyramid, and the level that each region is read from, equal torchvision's."""

import re
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7
from torchvision.ops.poolers import LevelMapper

from boxmask.pipeline.features.fpn import FPN, assign_levels

CHANNELS = [8, 12, 20]
NAMES = {r"inner_blocks\.(\d)\.0": r"lateral.\1", r"layer_blocks\.(\d)\.0": r"output.\1"}


@pytest.mark.parametrize("sizes", [[(16, 24), (8, 12), (4, 6)], [(17, 25), (9, 13), (5, 7)]])
def test_equal_to_torchvision(sizes: list[tuple[int, int]]) -> None:
    torch.manual_seed(0)
    theirs = FeaturePyramidNetwork(CHANNELS, 16, LastLevelMaxPool())
    state = theirs.state_dict()
    for pattern, ours in NAMES.items():
        state = {re.sub(pattern, ours, key): value for key, value in state.items()}
    fpn = FPN(CHANNELS, 16)
    fpn.load_state_dict(state)
    maps = [torch.randn(2, c, *size) for c, size in zip(CHANNELS, sizes, strict=True)]
    expected = theirs({str(level): m for level, m in enumerate(maps)})
    for found, their in zip(fpn(maps), expected.values(), strict=True):
        torch.testing.assert_close(found, their)


@pytest.mark.parametrize(("extra_level_source", "inputs"), [("C5", 20), ("P5", 16)])
def test_strided_levels_equal_torchvisions(extra_level_source: str, inputs: int) -> None:
    """P6 and P7 of RetinaNet and FCOS, for odd sides."""
    torch.manual_seed(0)
    theirs = FeaturePyramidNetwork(CHANNELS, 16, LastLevelP6P7(inputs, 16))
    names = {**NAMES, r"extra_blocks\.p6": "strided.0", r"extra_blocks\.p7": "strided.1"}
    state = theirs.state_dict()
    for pattern, ours in names.items():
        state = {re.sub(pattern, ours, key): value for key, value in state.items()}
    fpn = FPN(CHANNELS, 16, 2, extra_level_source)
    fpn.load_state_dict(state)
    sizes = [(20, 28), (10, 14), (5, 7)]
    maps = [torch.randn(2, c, *size) for c, size in zip(CHANNELS, sizes, strict=True)]
    expected = theirs({str(level): m for level, m in enumerate(maps)})
    assert fpn(maps)[-1].shape[-2:] == (2, 2)
    for found, their in zip(fpn(maps), expected.values(), strict=True):
        torch.testing.assert_close(found, their)


@pytest.mark.parametrize("extra", [0, 1, 2])
def test_extra_levels_are_every_second_pixel(extra: int) -> None:
    pyramid = FPN(CHANNELS, 4, extra)([torch.randn(1, c, 12, 20) for c in CHANNELS])
    assert len(pyramid) == len(CHANNELS) + extra
    for finer, coarser in pairwise(pyramid[2:]):
        assert torch.equal(coarser, finer[:, :, ::2, ::2])


def test_the_input_is_not_changed() -> None:
    maps = [torch.randn(1, c, 4, 4) for c in CHANNELS]
    copies = [m.clone() for m in maps]
    FPN(CHANNELS, 4)(maps)
    assert all(torch.equal(a, b) for a, b in zip(maps, copies, strict=True))


# ---------------------------------------------------------------- the level of a region

STRIDES = (4, 8, 16, 32)


def roi(width: float, height: float) -> torch.Tensor:
    return torch.tensor([[10.0, 20.0, 10.0 + width, 20.0 + height]])


def test_no_regions_have_no_levels() -> None:
    assert assign_levels(torch.zeros(0, 4), STRIDES, (224, 16)).shape == (0,)


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
def test_levels_equal_torchvisions(sides: list[tuple[float, float]]) -> None:
    rois = torch.cat([roi(*pair) for pair in sides])
    theirs = LevelMapper(2, 5, 224, 4)([rois])
    assert torch.equal(assign_levels(rois, STRIDES, (224, 16)), theirs)


def test_levels_equal_torchvisions_at_the_edges() -> None:
    """Sides at and next to each power of two, where rounding matters."""
    powers = torch.tensor([56.0, 112, 224, 448, 896])
    sides = torch.cat([powers, powers.nextafter(torch.zeros(5)), powers.nextafter(powers * 2)])
    rois = torch.stack([torch.zeros(15), torch.zeros(15), sides, sides], dim=1)
    assert torch.equal(assign_levels(rois, STRIDES, (224, 16)), LevelMapper(2, 5, 224, 4)([rois]))
