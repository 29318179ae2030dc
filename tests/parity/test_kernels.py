"""The compiled loops equal their plain references and torchvision, in values and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor

from boxmask import kernels
from boxmask.kernels import reference

DTYPES = [torch.float32, torch.float64]


def features(dtype: torch.dtype, channels: int = 5) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(2, channels, 21, 30, dtype=dtype)


def rois(dtype: torch.dtype, count: int = 60) -> Tensor:
    """Return RoIs, some partly or entirely outside, some larger than the image, some below one pixel."""
    torch.manual_seed(1)
    corner = torch.rand(count, 2, dtype=dtype) * 160 - 30
    size = torch.exp(torch.rand(count, 2, dtype=dtype) * 6 - 1)
    images = torch.randint(0, 2, (count, 1)).to(dtype)
    special = torch.tensor(
        [[0, 0, 0, 120, 84], [1, -300, -300, -200, -200], [1, 40, 40, 40, 40]], dtype=dtype
    )
    return torch.cat([torch.cat([images, corner, corner + size], dim=1), special])


def malformed(dtype: torch.dtype) -> Tensor:
    """Return RoIs whose edges are in the wrong order."""
    return torch.tensor([[0, 50, 10, 20, 60], [1, 10, 60, 50, 20], [1, 60, 70, 10, 5]], dtype=dtype)


def assert_same(
    ours: Callable[..., Tensor], theirs: Callable[..., Tensor], feature: Tensor, *arguments: Any
) -> None:
    """Compare values, and gradients for the same gradient of the result."""
    first, second = (feature.detach().clone().requires_grad_() for _ in range(2))
    value, expected = ours(first, *arguments), theirs(second, *arguments)
    tolerance = 2e-5 if feature.dtype == torch.float32 else 1e-12
    torch.testing.assert_close(value, expected, rtol=tolerance, atol=tolerance)
    grad = torch.randn_like(expected)
    value.backward(grad)
    expected.backward(grad)
    torch.testing.assert_close(first.grad, second.grad, rtol=tolerance, atol=tolerance, check_stride=False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("sampling_ratio", [2, 0, -1, 5])
@pytest.mark.parametrize("size", [7, (3, 5)])
def test_roi_align(
    dtype: torch.dtype, aligned: bool, sampling_ratio: int, size: int | tuple[int, int]
) -> None:
    arguments = (rois(dtype), size, 0.25, sampling_ratio, aligned)
    assert_same(kernels.roi_align, torchvision.ops.roi_align, features(dtype), *arguments)
    assert_same(kernels.roi_align, reference.roi_align, features(dtype), *arguments)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("aligned", "sampling_ratio"), [(False, 2), (False, 0), (True, 2)])
def test_roi_align_of_malformed_rois(dtype: torch.dtype, aligned: bool, sampling_ratio: int) -> None:
    # torchvision itself fails if such RoIs are aligned and sampled adaptively
    arguments = (malformed(dtype), 7, 0.25, sampling_ratio, aligned)
    assert_same(kernels.roi_align, torchvision.ops.roi_align, features(dtype), *arguments)


@pytest.mark.parametrize("channels", [1, 16, 67, 256])
def test_roi_align_with_any_number_of_channels(channels: int) -> None:
    arguments = (rois(torch.float32), 7, 0.25, 2, False)
    assert_same(kernels.roi_align, torchvision.ops.roi_align, features(torch.float32, channels), *arguments)


def test_roi_align_at_the_edge_of_the_map() -> None:
    """Samples lie exactly one pixel outside, and exactly on the last pixel."""
    edges = torch.tensor([[0.0, -1, -1, 1, 1], [0, 28, 19, 30, 21], [0, -2, -2, 0, 0], [0, 29, 20, 31, 22]])
    for step in (0, 0.5, 1e-6, -1e-6):
        arguments = (edges + torch.tensor([0, step, step, step, step]), 2, 1.0, 1, True)
        assert_same(kernels.roi_align, torchvision.ops.roi_align, features(torch.float32), *arguments)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sampling_ratio", [2, 0])
def test_pyramid_roi_align(dtype: torch.dtype, sampling_ratio: int) -> None:
    boxes, scales = rois(dtype), [0.25, 0.125, 0.0625]
    torch.manual_seed(2)
    levels = torch.randint(0, 3, (len(boxes),))
    shapes = [(21, 30), (11, 15), (6, 8)]
    maps = [torch.randn(2, 6, *shape, dtype=dtype) for shape in shapes]
    grad = torch.randn(len(boxes), 6, 7, 7, dtype=dtype)
    results = []
    for pool in (kernels.pyramid_roi_align, reference.pyramid_roi_align, level_by_level):
        leaves = [level.clone().requires_grad_() for level in maps]
        pooled = pool(leaves, boxes, levels, 7, scales, sampling_ratio, False)
        results.append((pooled, *torch.autograd.grad(pooled, leaves, grad)))
    tolerance = 2e-5 if dtype == torch.float32 else 1e-12
    for expected in results[1:]:
        torch.testing.assert_close(results[0], expected, rtol=tolerance, atol=tolerance, check_stride=False)


def level_by_level(
    maps: list[Tensor], boxes: Tensor, levels: Tensor, size: int, scales: list[float], *options: Any
) -> Tensor:
    pooled = torch.zeros(len(boxes), maps[0].shape[1], size, size, dtype=boxes.dtype)
    for level, (feature, scale) in enumerate(zip(maps, scales, strict=True)):
        rows = torch.nonzero(levels == level)[:, 0]
        part = torchvision.ops.roi_align(feature, boxes[rows], size, scale, *options)
        pooled = pooled.index_copy(0, rows, part)
    return pooled


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [7, (3, 5), 1])
def test_roi_pool(dtype: torch.dtype, size: int | tuple[int, int]) -> None:
    arguments = (torch.cat([rois(dtype), malformed(dtype)]), size, 0.25)
    assert_same(kernels.roi_pool, torchvision.ops.roi_pool, features(dtype), *arguments)
    assert_same(kernels.roi_pool, reference.roi_pool, features(dtype), *arguments)


def test_roi_pool_rounds_halves_away_from_zero() -> None:
    halves = torch.tensor([[0, 2, 6, 10, 14], [0, -2, -6, 10, 14], [1, 2.5, 4.5, 30.5, 22.5]])
    for scale in (0.25, 1.0):
        assert_same(kernels.roi_pool, torchvision.ops.roi_pool, features(torch.float32), halves, 7, scale)


def test_roi_pool_gives_the_gradient_of_ties_to_the_same_pixel() -> None:
    flat = features(torch.float32).round()  # many equal maxima
    flat[1] = 0
    assert_same(kernels.roi_pool, torchvision.ops.roi_pool, flat, rois(torch.float32), 7, 0.25)


def boxes_and_scores(count: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Return many boxes around each of a few objects, many with equal scores."""
    torch.manual_seed(count)
    center = (torch.rand(count // 20 + 1, 2, dtype=dtype) * 500).repeat(20, 1)[:count]
    corner = center + torch.randn(count, 2, dtype=dtype) * 5
    boxes = torch.cat([corner, corner + 40 + torch.rand(count, 2, dtype=dtype) * 30], dim=1)
    return boxes, (torch.rand(count, dtype=dtype) * 300).round() / 300


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 1, 63, 1000, 6000])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.7, 1.0, -0.1])
def test_nms_keeps_the_same_boxes_in_the_same_order(count: int, threshold: float, dtype: torch.dtype) -> None:
    boxes, scores = boxes_and_scores(count, dtype)
    expected = torchvision.ops.nms(boxes, scores, threshold)
    assert torch.equal(kernels.nms(boxes, scores, threshold), expected)
    if count <= 1000:
        assert torch.equal(reference.nms(boxes, scores, threshold), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nms_where_iou_equals_the_threshold(dtype: torch.dtype) -> None:
    """Boxes have integer coordinates, so that many pairs have IoUs such as 1/3, 1/2, 3/5 and 7/10."""
    torch.manual_seed(0)
    corner = torch.randint(0, 12, (800, 2)).to(dtype)
    boxes = torch.cat([corner, corner + torch.randint(1, 11, (800, 2)).to(dtype)], dim=1)
    scores = torch.rand(800, dtype=dtype)
    for threshold in (1 / 3, 0.5, 0.6, 0.7, 0.1, 0.2, 0.4):
        expected = torchvision.ops.nms(boxes, scores, threshold)
        assert torch.equal(kernels.nms(boxes, scores, threshold), expected)


def test_nms_of_malformed_boxes() -> None:
    """Boxes without area, with edges in the wrong order, with NaN or infinity."""
    boxes, scores = boxes_and_scores(300)
    boxes[::7, 2:] = boxes[::7, :2]
    boxes[1::7] = boxes[1::7][:, [2, 3, 0, 1]]
    boxes[2::31, 1] = float("nan")
    boxes[3::31, 2] = float("inf")
    for threshold in (0.0, 0.5):
        expected = torchvision.ops.nms(boxes, scores, threshold)
        assert torch.equal(kernels.nms(boxes, scores, threshold), expected)


@pytest.mark.parametrize("count", [0, 300, 3000])
def test_batched_nms_keeps_the_same_boxes(count: int) -> None:
    boxes, scores = boxes_and_scores(count)
    classes = torch.randint(0, 7, (count,))
    kept = kernels.batched_nms(boxes, scores, classes, 0.5)
    assert torch.equal(kept, reference.batched_nms(boxes, scores, classes, 0.5))
    theirs = torchvision.ops.batched_nms(boxes, scores, classes, 0.5)  # orders ties arbitrarily
    assert torch.equal(kept.sort().values, theirs.sort().values)
    assert torch.equal(scores[kept], scores[theirs])
