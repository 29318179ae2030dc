from __future__ import annotations

import pytest
import torch
from torch import Tensor

from boxmask.kernels import pyramid_roi_align, roi_align

ROIS = torch.tensor([[0, 2.0, 3, 20, 17], [1, 0, 0, 8, 9], [1, 5, 5, 30, 12], [0, -4, 2, 3, 40]])


@pytest.mark.parametrize(("aligned", "expected"), [(False, 11.0), (True, 5.5)])
def test_samples_by_hand(aligned: bool, expected: float) -> None:
    """On the map x + 10 y, a box of 2 x 2 is read at 0.5 and 1.5; `aligned` moves it by half a pixel."""
    ramp = torch.arange(4.0) + 10 * torch.arange(4.0)[:, None]
    box = torch.tensor([[0, 0.0, 0, 2, 2]])
    assert roi_align(ramp[None, None], box, 1, 1.0, 2, aligned).item() == pytest.approx(expected)


def arguments(dtype: torch.dtype = torch.float32, channels: int = 3) -> tuple[object, ...]:
    torch.manual_seed(0)
    maps = [torch.randn(2, channels, 12 // n, 16 // n, dtype=dtype, requires_grad=True) for n in (1, 2)]
    return maps, ROIS.to(dtype), torch.tensor([0, 1, 0, 1]), [3, 2], [0.5, 0.25], 2, False


def gradients(threads: int) -> tuple[Tensor, ...]:
    torch.manual_seed(3)
    corner = torch.rand(500, 2) * 200
    rois = torch.cat([torch.randint(0, 2, (500, 1)), corner, corner + torch.rand(500, 2) * 90], dim=1)
    maps = [torch.randn(2, 80, 60 // n, 70 // n, requires_grad=True) for n in (1, 2)]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        pooled = pyramid_roi_align(maps, rois, torch.arange(500) % 2, 7, [0.25, 0.125], 2, True)
        return pooled, *torch.autograd.grad(pooled, maps, torch.randn(500, 80, 7, 7))
    finally:
        torch.set_num_threads(before)


def test_the_same_bit_for_bit_with_any_number_of_threads() -> None:
    one = gradients(1)
    for threads in (2, 3, 7):
        assert all(torch.equal(a, b) for a, b in zip(one, gradients(threads), strict=True))


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("sampling_ratio", [2, 0])
def test_gradcheck(aligned: bool, sampling_ratio: int) -> None:
    maps, rois, levels, size, scales, *_ = arguments(torch.float64, channels=2)

    def pool(*leaves: Tensor) -> Tensor:
        return pyramid_roi_align(leaves, rois, levels, size, scales, sampling_ratio, aligned)

    assert torch.autograd.gradcheck(pool, maps)


def test_forward_is_registered_correctly() -> None:
    torch.library.opcheck(torch.ops.boxmask.pyramid_roi_align.default, arguments())


def test_backward_is_registered_correctly() -> None:
    grad, levels = torch.randn(4, 3, 3, 2), torch.tensor([0, 1, 0, 1])
    sizes = [2, 12, 16, 2, 6, 8]
    given = (grad, ROIS, levels, sizes, [0.5, 0.25], 2, False)
    torch.library.opcheck(torch.ops.boxmask.pyramid_roi_align_backward.default, given)


def test_compiles_into_one_graph() -> None:
    feature = torch.randn(2, 3, 12, 16, requires_grad=True)
    compiled = torch.compile(roi_align, backend="aot_eager", fullgraph=True)
    pooled = compiled(feature, ROIS, 7, 0.5, 2)
    expected = roi_align(feature, ROIS, 7, 0.5, 2)
    assert torch.equal(pooled, expected)
    (ours,) = torch.autograd.grad(pooled.sum(), feature)
    assert torch.equal(ours, torch.autograd.grad(expected.sum(), feature)[0])


def test_fake_tensors_have_the_right_shape() -> None:
    with torch._subclasses.FakeTensorMode():
        pooled = roi_align(torch.empty(2, 3, 12, 16), torch.empty(9, 5), (7, 5))
        assert (pooled.shape, pooled.device.type, pooled.dtype) == ((9, 3, 7, 5), "cpu", torch.float32)


def test_no_rois_give_no_values_and_zero_gradients() -> None:
    feature = torch.randn(2, 3, 12, 16, requires_grad=True)
    pooled = roi_align(feature, [torch.zeros(0, 4), torch.zeros(0, 4)], 7)
    assert pooled.shape == (0, 3, 7, 7)
    pooled.sum().backward()
    assert torch.equal(feature.grad, torch.zeros_like(feature))


def test_a_level_without_rois_gets_zero_gradient() -> None:
    maps, rois, levels, *rest = arguments()
    pooled = pyramid_roi_align(maps, rois, torch.zeros_like(levels), *rest)
    gradient = torch.autograd.grad(pooled.sum(), maps)
    assert gradient[0].any()
    assert not gradient[1].any()


def test_memory_layout_does_not_matter() -> None:
    feature = torch.randn(2, 6, 12, 16)
    expected = roi_align(feature, ROIS, 7, 0.5, 2)
    for strided in (
        feature.contiguous(memory_format=torch.channels_last),
        feature.transpose(2, 3).contiguous().transpose(2, 3),
        torch.cat([feature, feature], dim=1)[:, :6],
    ):
        assert torch.equal(roi_align(strided, ROIS.repeat(1, 2)[:, :5], 7, 0.5, 2), expected)
    assert expected.is_contiguous()


def test_gradient_is_channels_last_for_any_layout_of_the_incoming_gradient() -> None:
    feature = torch.randn(2, 6, 12, 16, requires_grad=True)
    pooled = roi_align(feature, ROIS, 7, 0.5, 2)
    grad = torch.randn(4, 6, 7, 7)
    (expected,) = torch.autograd.grad(pooled, feature, grad, retain_graph=True)
    assert expected.is_contiguous(memory_format=torch.channels_last)
    strided = grad.contiguous(memory_format=torch.channels_last)
    assert torch.equal(torch.autograd.grad(pooled, feature, strided, retain_graph=True)[0], expected)


def test_the_result_needs_a_gradient_only_if_the_features_do() -> None:
    assert not roi_align(torch.randn(2, 3, 12, 16), ROIS, 7).requires_grad
    with torch.no_grad():
        assert not roi_align(torch.randn(2, 3, 12, 16, requires_grad=True), ROIS, 7).requires_grad


def test_autocast_computes_in_float32() -> None:
    feature = torch.randn(2, 3, 12, 16)
    with torch.autocast("cpu", torch.bfloat16):
        pooled = roi_align(feature.bfloat16(), ROIS, 7, 0.5, 2)
    assert torch.equal(pooled, roi_align(feature.bfloat16().float(), ROIS, 7, 0.5, 2))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e30])
@pytest.mark.parametrize("sampling_ratio", [2, 0])
def test_a_roi_with_nan_or_infinity_stays_visible_and_affects_no_other(
    bad: float, sampling_ratio: int
) -> None:
    feature, rois = torch.randn(2, 3, 12, 16), ROIS.clone()
    rois[2, 3] = bad
    pooled, expected = (
        roi_align(feature, rois, 7, 0.5, sampling_ratio),
        roi_align(feature, ROIS, 7, 0.5, sampling_ratio),
    )
    assert torch.equal(pooled[[0, 1, 3]], expected[[0, 1, 3]])
    if bad != bad:
        assert pooled[2].isnan().all()


def test_invalid_arguments_are_rejected() -> None:
    feature = torch.randn(2, 3, 12, 16)
    with pytest.raises(ValueError, match=r"image indices in rois: expected 0 to 1, found \[2.0\]"):
        roi_align(feature, torch.tensor([[2.0, 0, 0, 1, 1]]), 7)
    with pytest.raises(ValueError, match=r"boxes: expected shape \(R, 5\)"):
        roi_align(feature, torch.zeros(3, 4), 7)
    with pytest.raises(ValueError, match=r"boxes\[1\]: expected shape \(L, 4\)"):
        roi_align(feature, [torch.zeros(3, 4), torch.zeros(3, 5)], 7)
    with pytest.raises(ValueError, match="like the features, found torch"):
        roi_align(feature, ROIS.double(), 7)
    with pytest.raises(ValueError, match="output_size: expected a positive"):
        roi_align(feature, ROIS, (0, 7))
    with pytest.raises(ValueError, match="features: expected float32 or float64"):
        roi_align(feature.half(), ROIS.half(), 7)
    with pytest.raises(ValueError, match="levels: expected 0 to 0, found"):
        pyramid_roi_align([feature], ROIS, torch.tensor([0, 1, 0, 0]), 7, [1.0])
    with pytest.raises(ValueError, match="spatial_scales: expected 1, one per level, found 2"):
        pyramid_roi_align([feature], ROIS, torch.zeros(4, dtype=torch.int64), 7, [1.0, 0.5])
