"""The extra layers that SSD adds after the backbone."""

import pytest
import torch

from boxmask.errors import UsageError
from boxmask.pipeline.features.extra_layers import ExtraLayers, Row

PAPER: tuple[Row, ...] = ((32, 3, 2, 1), (16, 3, 2, 1), (16, 3, 1, 0), (16, 3, 1, 0))


@pytest.mark.parametrize("depthwise", [False, True])
def test_maps_of_the_papers_sizes(depthwise: bool) -> None:
    """Figure 2: 19 cells per side, then 10, 5, 3 and 1."""
    layers = ExtraLayers(24, PAPER, depthwise)
    maps = layers(torch.randn(2, 24, 19, 19))
    assert [tuple(x.shape) for x in maps] == [
        (2, 32, 10, 10),
        (2, 16, 5, 5),
        (2, 16, 3, 3),
        (2, 16, 1, 1),
    ]
    assert layers.channels == [32, 16, 16, 16]
    assert all((x >= 0).all() for x in maps)


def test_a_kernel_of_four_ends_with_one_cell() -> None:
    """SSD512's conv12_2."""
    assert ExtraLayers(8, ((8, 4, 1, 1),), depthwise=False)(torch.randn(1, 8, 2, 2))[0].shape[-2:] == (1, 1)


def test_no_rows_no_maps() -> None:
    assert ExtraLayers(8, (), depthwise=True)(torch.randn(1, 8, 2, 2)) == []


def test_photos_too_small_for_the_layers_are_refused() -> None:
    with pytest.raises(UsageError, match=r"a kernel of 3 does not fit a map of 2 x 2\. Give a larger --size"):
        ExtraLayers(8, ((8, 3, 1, 0),), depthwise=False)(torch.randn(1, 8, 2, 2))


@pytest.mark.parametrize("depthwise", [False, True])
def test_maps_keep_their_variance(depthwise: bool) -> None:
    torch.manual_seed(0)
    rows: tuple[Row, ...] = ((64, 3, 2, 1),) * 3
    coarsest = torch.randn(4, 64, 40, 40).relu()
    for x in ExtraLayers(64, rows, depthwise)(coarsest):
        assert 0.2 < x.square().mean().sqrt() < 3
