from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.kernels import linear


def leaves(dtype: torch.dtype = torch.float32) -> list[Tensor]:
    torch.manual_seed(0)
    shapes = ((300, 500), (130, 500), (130,))
    return [torch.randn(*shape, dtype=dtype).requires_grad_() for shape in shapes]


def test_values_and_gradients_are_those_of_pytorch() -> None:
    given = leaves()
    found, expected = linear(*given), F.linear(*given)
    assert "linear" in str(found.grad_fn)
    assert "Addmm" not in str(found.grad_fn)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    grad = torch.randn_like(found)
    pairs = zip(
        torch.autograd.grad(found, given, grad), torch.autograd.grad(expected, given, grad), strict=True
    )
    for own, wanted in pairs:
        torch.testing.assert_close(own, wanted, atol=1e-3, rtol=1e-4)


def test_small_or_double_products_are_pytorchs_own() -> None:
    double = leaves(torch.float64)
    assert torch.equal(linear(*double), F.linear(*double))
    few = leaves()
    few[0] = few[0][:3]
    assert torch.equal(linear(*few), F.linear(*few))


def test_no_rows() -> None:
    input, weight, bias = leaves()
    out = linear(input[:0], weight, bias)
    assert out.shape == (0, 130)
    out.sum().backward()
    assert not weight.grad.any()


def test_are_proper_operators() -> None:
    given = leaves()
    torch.library.opcheck(torch.ops.boxmask.linear.default, tuple(given))
    pair = (torch.randn(300, 130), given[1].detach().t())
    torch.library.opcheck(torch.ops.boxmask.product.default, pair)


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_what_is_frozen_gets_no_gradient(frozen: int) -> None:
    given = leaves()
    given[frozen].requires_grad_(False)
    linear(*given).sum().backward()
    assert [leaf.grad is None for leaf in given] == [index == frozen for index in range(3)]


def test_mixed_precision_is_left_to_pytorch() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(*leaves()).dtype == torch.bfloat16
