"""The mask loops equal their plain references and torchvision: targets up to rounding, pixels exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.models.detection.roi_heads import paste_masks_in_image, project_masks_on_boxes

from boxmask import kernels
from boxmask.kernels import reference
from boxmask.masks import Masks

SIZE = (37, 52)


def some_masks() -> Masks:
    """Return blobs, a full mask, single pixels in corners, lines on the border, and an unknown mask."""
    generator = np.random.default_rng(0)
    dense = np.zeros((14, *SIZE), dtype=np.bool_)
    for mask in dense[:8]:
        y, x = generator.integers(0, 25), generator.integers(0, 35)
        height, width = generator.integers(3, 30, 2)
        part = mask[y : y + height, x : x + width]
        part[:] = generator.random(part.shape) < 0.7
    dense[8] = True
    dense[9, 0, 0] = dense[10, -1, -1] = True
    dense[11, :, -1] = dense[12, 0] = True
    return Masks.from_dense(dense)


def some_boxes(count: int) -> Tensor:
    """Return boxes, some across the border, outside, larger than the photo or below one pixel."""
    generator = torch.Generator().manual_seed(1)
    corner = torch.rand(count, 2, generator=generator) * torch.tensor([60.0, 45.0]) - 10
    side = torch.exp(torch.rand(count, 2, generator=generator) * 5 - 1)
    special = torch.tensor(
        [
            [0.0, 0, 52, 37],
            [-40, -40, -20, -20],
            [-500, -500, 700, 700],
            [51, 36, 52, 37],
            [52, 37, 60, 50],
            [-3, -1, 0, 0],
            [-1, -1, 55, 40],
            [20, 20, 20, 20],
            [7, 9, 21, 23],
            [7.5, 9.5, 35.5, 37.5],
        ]
    )
    return torch.cat([torch.cat([corner, corner + side], dim=1), special])


@pytest.mark.parametrize("size", [28, 14, 5, 1])
def test_targets_equal_roi_align_of_the_full_masks(size: int) -> None:
    masks, boxes = some_masks(), some_boxes(60)
    rows = torch.arange(len(masks)).repeat_interleave(len(boxes))
    boxes = boxes.repeat(len(masks), 1)
    found = kernels.mask_targets(masks, rows, boxes, size)
    expected = project_masks_on_boxes(torch.from_numpy(masks.dense()), boxes, rows, size)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)
    some = torch.arange(0, len(rows), 7)
    plain = reference.mask_targets(masks, rows[some], boxes[some], size)
    torch.testing.assert_close(found[some], plain, rtol=0, atol=2e-6)
    assert ((found >= 0) & (found < 1 + 1e-5)).all()


def scores_of(count: int, side: int = 28) -> Tensor:
    """Return smooth scores, as from a network, and noise."""
    generator = torch.Generator().manual_seed(2)
    coarse = torch.rand(count, 1, 4, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic")[:, 0].clamp(0, 1)
    return torch.cat([smooth[: count // 2], torch.rand(count - count // 2, side, side, generator=generator)])


@pytest.mark.parametrize("side", [28, 14, 3])
@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_pasted_masks_equal_torchvisions(side: int, threshold: float) -> None:
    boxes = some_boxes(60)
    touching = (boxes[:, 2:] > 0).all(dim=1) & (boxes[:, :2] < torch.tensor([SIZE[1], SIZE[0]])).all(dim=1)
    boxes = boxes[touching]  # torchvision fails if a box is entirely outside
    scores = scores_of(len(boxes), side)
    values = paste_masks_in_image(scores[:, None], boxes, SIZE)[:, 0]
    found = kernels.paste_masks(scores, boxes, SIZE, threshold)
    assert found.size == SIZE
    differs = torch.from_numpy(found.dense()) != (values > threshold)
    assert (values[differs] - threshold).abs().amax() < 1e-6 if differs.any() else True
    assert differs.sum() <= 3
    plain = reference.paste_masks(scores, boxes, SIZE, threshold)
    assert (plain.dense() != found.dense()).sum() <= 3
    assert found.areas().sum() > 2000


def test_a_large_photo() -> None:
    size, generator = (2000, 2600), torch.Generator().manual_seed(4)
    corner = torch.rand(10, 2, generator=generator) * 1500
    boxes = torch.cat([corner, corner + torch.rand(10, 2, generator=generator) * 1000], dim=1)
    scores = scores_of(10)
    values = paste_masks_in_image(scores[:, None], boxes, size)[:, 0]
    differs = torch.from_numpy(kernels.paste_masks(scores, boxes, size).dense()) != (values > 0.5)
    assert differs.sum() <= 10
