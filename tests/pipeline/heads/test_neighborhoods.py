"""The pixels around anchors, worked by hand, and both ways to gather them."""

import torch

from boxmask.pipeline.heads.neighborhoods import (
    neighborhoods,
    neighborhoods_at_once,
    neighborhoods_by_level,
    pixel_table,
)


def test_neighborhoods_are_rows_of_pixels_with_zeros_outside() -> None:
    x = torch.arange(1.0, 7).view(1, 1, 2, 3)  # 1 2 3 / 4 5 6
    found = neighborhoods(pixel_table(x), torch.tensor([0, 0]), torch.tensor([0, 4]), (2, 3))
    assert found.tolist() == [[0, 0, 0, 0, 1, 2, 0, 4, 5], [1, 2, 3, 4, 5, 6, 0, 0, 0]]


def test_a_gpu_gathers_the_same_pixels_around_anchors() -> None:
    torch.manual_seed(0)
    maps = [torch.rand(2, 8, height, width) for height, width in ((8, 12), (4, 6), (1, 1))]
    anchors, images = torch.randint(0, 3 * (96 + 24 + 1), (200,)), torch.randint(0, 2, (200,))
    patches, order = neighborhoods_by_level(maps, images, anchors, 3)
    assert torch.equal(patches[order], neighborhoods_at_once(maps, images, anchors, 3))
