"""Warped regions, worked by hand on photos of a few pixels."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import roi_align

from boxmask.pipeline import warp as module
from boxmask.pipeline.warp import with_context


def noise(height: int, width: int) -> Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def warp(photo: Tensor, boxes: Tensor, side: int, context: int) -> Tensor:
    """Warped regions of a photo (1, 3, H, W)."""
    return module.warp(photo[0], (photo.shape[2], photo.shape[3]), boxes, side, context)


def test_context_is_counted_in_the_warped_region() -> None:
    """Appendix A: 227 pixels with 16 of context hold 195 of the box; 8 with 2 hold 4, a margin of a half."""
    grown = with_context(torch.tensor([[10.0, 20, 14, 28], [0, 0, 1, 1]]), 8, 2)
    assert grown.tolist() == [[8, 16, 16, 32], [-0.5, -0.5, 1.5, 1.5]]
    paper = with_context(torch.tensor([[100.0, 100, 295, 490]]), 227, 16)
    torch.testing.assert_close(paper, torch.tensor([[84.0, 68, 311, 522]]))


def test_no_context_leaves_boxes_as_they_are() -> None:
    boxes = torch.tensor([[1.5, 2, 7, 9]])
    assert torch.equal(with_context(boxes, 8, 0), boxes)


def test_a_box_of_the_output_size_is_copied() -> None:
    photo = noise(12, 16)
    (region,) = warp(photo, torch.tensor([[3.0, 2, 11, 10]]), 8, 0)
    assert torch.equal(region, photo[0, :, 2:10, 3:11])


def test_context_includes_the_surroundings() -> None:
    photo = noise(12, 16)
    (region,) = warp(photo, torch.tensor([[5.0, 4, 9, 8]]), 8, 2)
    assert torch.equal(region, photo[0, :, 2:10, 3:11])


def test_outside_the_photo_is_the_mean() -> None:
    """The mean of a normalized photo is 0."""
    (region,) = warp(torch.ones(1, 3, 4, 4), torch.tensor([[0.0, 0, 4, 4]]), 12, 4)
    inside = torch.zeros(12, 12, dtype=torch.bool)
    inside[4:8, 4:8] = True
    assert torch.equal(region, inside.expand(3, 12, 12).float())


def test_regions_are_roi_aligns() -> None:
    """For boxes of any size, also partly outside the photo, except at the border, which RoIAlign repeats."""
    photo = noise(40, 60)
    generator = torch.Generator().manual_seed(1)
    corners, sides = torch.rand(50, 2, generator=generator), torch.rand(50, 2, generator=generator)
    begin = corners * torch.tensor([70.0, 50]) - 10
    boxes = torch.cat([begin, begin + 1 + sides**2 * 60], dim=1)
    framed = F.pad(photo, [1, 1, 1, 1])
    expected = roi_align(framed, [with_context(boxes, 9, 1) + 1], 9, sampling_ratio=0, aligned=True)
    torch.testing.assert_close(warp(photo, boxes, 9, 1), expected, rtol=0, atol=1e-4)


def test_padding_is_outside_the_photo() -> None:
    """The padding of a batch may hold any values."""
    padded = noise(6, 9)
    boxes = torch.tensor([[1.0, 1, 6, 6], [3, 2, 9, 6]])
    alone = warp(padded[:, :, :4, :5].contiguous(), boxes, 8, 1)
    assert torch.equal(module.warp(padded[0], (4, 5), boxes, 8, 1), alone)


def test_far_outside_the_photo_all_pixels_are_the_mean() -> None:
    assert not warp(torch.ones(1, 3, 4, 4), torch.tensor([[50.0, -90, 60, -80]]), 8, 2).any()


def test_the_aspect_ratio_is_not_kept() -> None:
    """A box of 4 x 8: columns stay, and two rows become one."""
    stripes = torch.arange(4.0).repeat_interleave(2)  # 0 0 1 1 2 2 3 3
    photo = stripes[None, None, :, None].expand(1, 3, 8, 4)
    (region,) = warp(photo, torch.tensor([[0.0, 0, 4, 8]]), 4, 0)
    assert torch.equal(region[0], torch.arange(4.0)[:, None].expand(4, 4))


def test_a_region_of_a_whole_multiple_is_the_exact_area_mean() -> None:
    photo = noise(30, 40)
    (region,) = warp(photo, torch.tensor([[2.0, 3, 34, 27]]), 8, 0)  # 32 x 24: 4 columns and 3 rows a pixel
    torch.testing.assert_close(region, F.avg_pool2d(photo[0, :, 3:27, 2:34], (3, 4)))


def test_any_other_region_is_close_to_the_area_mean() -> None:
    """2.5 pixels per output pixel: on noise, a tenth of the error of bilinear interpolation."""
    photo = noise(52, 52)
    inside = photo[:, :, 1:51, 1:51]
    region = warp(photo, torch.tensor([[1.0, 1, 51, 51]]), 20, 0)
    mean = F.avg_pool2d(inside.repeat_interleave(2, 2).repeat_interleave(2, 3), 5)
    bilinear = F.interpolate(inside, size=(20, 20), mode="bilinear")
    assert (region - mean).std() < 0.1 * (bilinear - mean).std()


def test_a_small_box_is_enlarged_smoothly() -> None:
    """Halfway between the centers of two pixels lies the mean of both."""
    photo = torch.tensor([0.0, 0, 4, 8, 8]).expand(1, 3, 5, 5)
    (region,) = warp(photo, torch.tensor([[1.0, 1, 4, 4]]), 9, 0)
    row = torch.tensor([0, 0, 4 / 3, 8 / 3, 4, 16 / 3, 20 / 3, 8, 8])  # thirds of pixels, from 1/6 before 0
    torch.testing.assert_close(region[2, 4], row, rtol=0, atol=1e-5)


def test_regions_come_in_the_order_of_their_boxes_channels_last() -> None:
    photo = noise(12, 16)
    boxes = torch.tensor([[3.0, 2, 11, 10], [0, 0, 8, 8], [3, 2, 11, 10]])
    regions = warp(photo, boxes, 8, 0)
    assert torch.equal(regions[0], regions[2])
    assert torch.equal(regions[1], photo[0, :, :8, :8])
    assert regions.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("size", [1, 8])
def test_no_boxes_give_no_regions(size: int) -> None:
    assert warp(noise(4, 4), torch.zeros(0, 4), size, 0).shape == (0, 3, size, size)
