"""The pyramid equals torchvision's with the same weights."""

import re
from itertools import pairwise

import pytest
import torch
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

from boxmask.pipeline.features.fpn import FPN

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
    """P6 and P7 of RetinaNet and FCOS, on sides that two does not divide."""
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
def test_extra_levels_are_every_second_place(extra: int) -> None:
    pyramid = FPN(CHANNELS, 4, extra)([torch.randn(1, c, 12, 20) for c in CHANNELS])
    assert len(pyramid) == len(CHANNELS) + extra
    for finer, coarser in pairwise(pyramid[2:]):
        assert torch.equal(coarser, finer[:, :, ::2, ::2])


def test_the_input_is_left_alone() -> None:
    maps = [torch.randn(1, c, 4, 4) for c in CHANNELS]
    copies = [m.clone() for m in maps]
    FPN(CHANNELS, 4)(maps)
    assert all(torch.equal(a, b) for a, b in zip(maps, copies, strict=True))
