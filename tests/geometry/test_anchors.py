"""Anchors equal torchvision's; SSD's default boxes are tested with the detector."""

import pytest
import torch
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

from boxmask.errors import UsageError
from boxmask.geometry.boxes import anchor_shapes, anchors_per_cell, pyramid_anchors


@pytest.mark.parametrize("sizes", [(16,), (128, 256, 512), (32, 40.5, 50.8)])
def test_shapes_equal_torchvision(sizes: tuple[float, ...]) -> None:
    ratios = (0.5, 1.0, 2.0)
    theirs = AnchorGenerator((sizes,), (ratios,)).cell_anchors[0]
    assert torch.equal(anchor_shapes(sizes, ratios), theirs)


def test_the_papers_nine_anchors() -> None:
    shapes = anchor_shapes((128, 256, 512), (0.5, 1.0, 2.0))
    sides = (shapes[:, 2:] - shapes[:, :2]).tolist()
    assert len(sides) == 9
    assert sides[0] == [182.0, 90.0]  # wider than high, 1:2, with an area of about 128²
    assert sides[3] == [128.0, 128.0]
    assert sides[6] == [90.0, 182.0]


def test_tiling_equals_torchvision() -> None:
    """The last level of this pyramid is not half the size of the one before."""
    sizes, ratios, grids = ((32,), (64,), (128,)), (0.5, 1.0, 2.0), [(24, 40), (12, 20), (5, 7)]
    generator = AnchorGenerator(sizes, (ratios,) * 3)
    images = ImageList(torch.zeros(1, 3, 96, 160), [(96, 160)])
    theirs = generator(images, [torch.zeros(1, 1, *grid) for grid in grids])[0]
    ours = pyramid_anchors([anchor_shapes(size, ratios) for size in sizes], grids, (96, 160))
    assert torch.equal(torch.cat(ours), theirs)


def test_anchors_are_ordered_by_row_then_column_then_shape() -> None:
    shapes = torch.tensor([[-1.0, -1.0, 1.0, 1.0], [-2.0, -1.0, 2.0, 1.0]])
    (tiled,) = pyramid_anchors([shapes], [(2, 3)], (20, 300))
    assert tiled.shape == (12, 4)
    assert tiled[1].tolist() == [-2.0, -1.0, 2.0, 1.0]
    assert tiled[2].tolist() == [99.0, -1.0, 101.0, 1.0]
    assert tiled[6].tolist() == [-1.0, 9.0, 1.0, 11.0]


def test_pyramid_anchors_tile_every_level() -> None:
    shapes = [anchor_shapes((8.0,), (1.0,)), anchor_shapes((16.0, 20.0), (1.0,))]
    fine, coarse = pyramid_anchors(shapes, [(4, 6), (2, 3)], (32, 48))
    assert (len(fine), len(coarse)) == (4 * 6, 2 * 3 * 2)
    assert fine[-1].tolist() == [40 - 4, 24 - 4, 40 + 4, 24 + 4]
    assert coarse[-2].tolist() == [32 - 8, 16 - 8, 32 + 8, 16 + 8]


def test_anchors_per_cell() -> None:
    assert anchors_per_cell(((16, 24), (32, 48)), (0.5, 1.0, 2.0)) == 6


@pytest.mark.parametrize("sizes", [(), ((),), ((16,), (32, 48))])
def test_levels_without_anchors_or_with_different_numbers_are_rejected(
    sizes: tuple[tuple[float, ...], ...],
) -> None:
    with pytest.raises(UsageError, match="anchor_sizes: expected one row per level"):
        anchors_per_cell(sizes, (1.0,))


def test_aspect_ratios_must_not_be_empty() -> None:
    with pytest.raises(UsageError, match="aspect_ratios: expected at least one"):
        anchors_per_cell(((16,),), ())
