from __future__ import annotations

import importlib

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.kernels import linear

module = importlib.import_module("boxmask.kernels.linear")  # `boxmask.kernels.linear` is the function


def leaves(dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """Return an input, a weight and a bias, large enough for oneDNN to pay off."""
    torch.manual_seed(0)
    shapes = ((300, 500), (130, 500), (130,))
    return [torch.randn(*shape, dtype=dtype).requires_grad_() for shape in shapes]


def assert_equals_pytorch(out: Tensor, given: list[Tensor]) -> None:
    expected = F.linear(*given)
    torch.testing.assert_close(out, expected, atol=1e-4, rtol=1e-4)
    grad = torch.randn_like(out)
    ours = torch.autograd.grad(out, given, grad)
    theirs = torch.autograd.grad(expected, given, grad)
    torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-4)


def test_the_installed_pytorch_has_the_onednn_operator() -> None:
    """If this fails, PyTorch has changed its private operator, and layers fall back to `F.linear`."""
    expected = "onednn" if torch.backends.mkldnn.is_available() else "torch"
    assert module.linear_backend() == expected


@pytest.mark.skipif(module.linear_backend() == "torch", reason="this PyTorch lacks the operator")
def test_values_and_gradients_equal_pytorchs() -> None:
    given = leaves()
    out = linear(*given)
    assert "linear" in str(out.grad_fn)
    assert "Addmm" not in str(out.grad_fn)
    assert_equals_pytorch(out, given)


def test_the_fallback_gives_the_same_values_and_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    given = leaves()
    expected = linear(*given)
    monkeypatch.setattr(module, "_BACKEND", "torch")
    out = linear(*given)
    assert module.linear_backend() == "torch"
    assert "Addmm" in str(out.grad_fn)
    torch.testing.assert_close(out, expected, atol=1e-4, rtol=1e-4)
    assert_equals_pytorch(out, given)


@pytest.mark.parametrize("error", [AttributeError, TypeError, RuntimeError])
def test_a_missing_or_changed_operator_means_the_fallback(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*_: object) -> Tensor:
        raise error("no such operator")

    monkeypatch.setattr(module, "_product", fail)
    assert module._choose_backend() == "torch"
    monkeypatch.setattr(module, "_product", lambda a, b, bias: torch.zeros(len(a), len(b)))
    assert module._choose_backend() == "torch"


def test_small_or_double_products_are_left_to_pytorch() -> None:
    double = leaves(torch.float64)
    assert torch.equal(linear(*double), F.linear(*double))
    small = leaves()
    small[0] = small[0][:3]
    assert torch.equal(linear(*small), F.linear(*small))


def test_no_rows() -> None:
    input, weight, bias = leaves()
    out = linear(input[:0], weight, bias)
    assert out.shape == (0, 130)
    out.sum().backward()
    assert not weight.grad.any()


@pytest.mark.skipif(module.linear_backend() == "torch", reason="this PyTorch lacks the operator")
def test_operators_are_registered_correctly() -> None:
    given = leaves()
    torch.library.opcheck(torch.ops.boxmask.linear.default, tuple(given))
    pair = (torch.randn(300, 130), given[1].detach().t())
    torch.library.opcheck(torch.ops.boxmask.product.default, pair)


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_frozen_arguments_get_no_gradient(frozen: int) -> None:
    given = leaves()
    given[frozen].requires_grad_(False)
    linear(*given).sum().backward()
    assert [leaf.grad is None for leaf in given] == [index == frozen for index in range(3)]


def test_mixed_precision_is_left_to_pytorch() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(*leaves()).dtype == torch.bfloat16
