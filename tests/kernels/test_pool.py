from __future__ import annotations

import pytest
import torch
from torch import Tensor

from boxmask.kernels import roi_pool

ROIS = torch.tensor([[0, 2.0, 3, 20, 17], [1, 0, 0, 8, 9], [1, 5, 5, 30, 12], [0, -4, 2, 3, 40]])


def test_maxima_by_hand() -> None:
    """On the map x + 10 y, the edges 0.4 and 1.6 round to 0 and 2. Both ends count: 3 x 3 pixels."""
    ramp = torch.arange(4.0) + 10 * torch.arange(4.0)[:, None]
    box = torch.tensor([[0, 0.4, 0.4, 1.6, 1.6]])
    assert roi_pool(ramp[None, None], box, 1).tolist() == [[[[22.0]]]]
    assert roi_pool(ramp[None, None], box, 2).tolist() == [[[[11.0, 12.0], [21.0, 22.0]]]]


def gradients(threads: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(3)
    corner = torch.rand(500, 2) * 200
    rois = torch.cat([torch.randint(0, 2, (500, 1)), corner, corner + torch.rand(500, 2) * 90], dim=1)
    feature = torch.randn(2, 150, 60, 70, requires_grad=True)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        pooled = roi_pool(feature, rois, 7, 0.25)
        return pooled, torch.autograd.grad(pooled, feature, torch.randn(500, 150, 7, 7))[0]
    finally:
        torch.set_num_threads(before)


def test_the_same_bit_for_bit_with_any_number_of_threads() -> None:
    one = gradients(1)
    for threads in (2, 3, 7):
        assert all(torch.equal(a, b) for a, b in zip(one, gradients(threads), strict=True))


def test_gradcheck() -> None:
    torch.manual_seed(0)
    feature = torch.randperm(2 * 2 * 12 * 16).double().reshape(2, 2, 12, 16).requires_grad_()
    assert torch.autograd.gradcheck(lambda leaf: roi_pool(leaf, ROIS.double(), (3, 2), 0.5), feature)


def test_operators_are_registered_correctly() -> None:
    feature = torch.randn(2, 3, 12, 16, requires_grad=True)
    torch.library.opcheck(torch.ops.boxmask.roi_pool.default, (feature, ROIS, [3, 2], 0.5))
    given = (torch.randn(4, 3, 3, 2), feature.detach(), ROIS, 0.5)
    torch.library.opcheck(torch.ops.boxmask.roi_pool_backward.default, given)


def test_compiles_into_one_graph() -> None:
    feature = torch.randn(2, 3, 12, 16, requires_grad=True)
    pooled = torch.compile(roi_pool, backend="aot_eager", fullgraph=True)(feature, ROIS, 7, 0.5)
    assert torch.equal(pooled, roi_pool(feature, ROIS, 7, 0.5))


def test_no_rois_give_no_values_and_zero_gradients() -> None:
    feature = torch.randn(2, 3, 12, 16, requires_grad=True)
    pooled = roi_pool(feature, torch.zeros(0, 5), (7, 6))
    assert pooled.shape == (0, 3, 7, 6)
    pooled.sum().backward()
    assert torch.equal(feature.grad, torch.zeros_like(feature))


def test_bins_outside_the_image_are_zero_without_gradient() -> None:
    feature = torch.full((1, 2, 4, 4), -3.0, requires_grad=True)
    pooled = roi_pool(feature, torch.tensor([[0, 2.0, 2, 9, 9], [0, 50, 50, 60, 60]]), 2)
    assert torch.equal(pooled[0], torch.tensor([[-3.0, 0], [0, 0]]).expand(2, 2, 2))
    assert not pooled[1].any()
    pooled.sum().backward()
    assert feature.grad.sum() == 2


def test_memory_layout_does_not_matter() -> None:
    feature = torch.randn(2, 6, 12, 16)
    expected = roi_pool(feature, ROIS, 7, 0.5)
    assert torch.equal(
        roi_pool(feature.contiguous(memory_format=torch.channels_last), ROIS, 7, 0.5), expected
    )
    assert torch.equal(roi_pool(torch.cat([feature, feature], dim=3)[..., :16], ROIS, 7, 0.5), expected)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e30])
def test_a_roi_with_nan_or_infinity_affects_no_other(bad: float) -> None:
    feature, rois = torch.randn(2, 3, 12, 16), ROIS.clone()
    rois[2, 3] = bad
    pooled, expected = roi_pool(feature, rois, 7, 0.5), roi_pool(feature, ROIS, 7, 0.5)
    assert torch.equal(pooled[[0, 1, 3]], expected[[0, 1, 3]])


def test_a_roi_with_nan_pools_to_nan_without_gradient() -> None:
    feature = torch.randn(1, 3, 12, 16, requires_grad=True)
    pooled = roi_pool(feature, torch.tensor([[0, 0.0, float("nan"), 3, 3]]), 2)
    assert pooled.isnan().all()
    pooled.sum().backward()
    assert not feature.grad.any()


def test_invalid_arguments_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"image indices in rois: expected 0 to 0, found \[1.0, 1.0\]"):
        roi_pool(torch.randn(1, 3, 12, 16), ROIS, 7)
    with pytest.raises(ValueError, match="features: expected float32 or float64"):
        roi_pool(torch.randn(2, 3, 12, 16).half(), ROIS.half(), 7)
