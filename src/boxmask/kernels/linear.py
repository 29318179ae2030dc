"""Fully connected layers by oneDNN instead of MKL.

Once the convolutions are fast, the two fully connected layers of a box head take half of a training step.
PyTorch computes them with MKL, which does not use the widest registers of every processor: on AMD with
AVX-512 it reached 140 to 180 GFLOP/s, where oneDNN, which PyTorch ships too, reached 200.

PyTorch has no public function for oneDNN's product of dense tensors. This file calls the private operator
that `torch.compile` uses. If that is missing or has another signature, `F.linear` is used instead;
`linear_backend` says which.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.kernels.operators import operator_or_function
from boxmask.kernels.tracing import is_exporting

_MIN_PRODUCTS = 2**24  # multiplications; below, the overhead of a call outweighs the faster arithmetic


def linear(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute `F.linear`: input (R, C), weight (K, C), bias (K,) -> (R, K).

    On a CPU, large layers in float32 are computed by oneDNN and are differentiable once.
    """
    if not _pays_off(input, weight):
        return F.linear(input, weight, bias)
    return operator_or_function(_linear, _product, input, weight, bias)(input, weight, bias)


def linear_backend() -> Literal["onednn", "torch"]:
    """Return what computes large layers: "onednn", or "torch" if its operator does not work here."""
    return _BACKEND


def _pays_off(input: Tensor, weight: Tensor) -> bool:
    if _BACKEND != "onednn" or input.device.type != "cpu":
        return False
    if not input.dtype == weight.dtype == torch.float32 or torch.is_autocast_enabled("cpu"):
        return False
    return not is_exporting() and input.numel() * len(weight) >= _MIN_PRODUCTS


def _product(a: Tensor, b: Tensor, bias: Tensor | None) -> Tensor:
    """a (m, k), b (n, k), bias (n,) -> a b^T + bias, (m, n)."""
    return cast(Tensor, torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], ""))


def _choose_backend() -> Literal["onednn", "torch"]:
    """Try the private operator on a product whose result is known."""
    if not torch.backends.mkldnn.is_available():
        return "torch"
    a = torch.tensor([[1.0, 2.0]], dtype=torch.float32, device="cpu")
    try:
        works = torch.equal(_product(a, 3 * a, a[0, :1]), torch.full_like(a[:, :1], 16.0))
    except (AttributeError, TypeError, RuntimeError, NotImplementedError):  # missing, or another signature
        works = False
    return "onednn" if works else "torch"


_BACKEND = _choose_backend()


@torch.library.custom_op("boxmask::linear", mutates_args=(), device_types="cpu")
def _linear(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return _product(input, weight, bias)


@torch.library.custom_op("boxmask::product", mutates_args=(), device_types="cpu")
def _product_without_bias(a: Tensor, b: Tensor) -> Tensor:
    return _product(a, b, None)


@_linear.register_fake
def _(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return input.new_empty(input.shape[0], weight.shape[0])


@_product_without_bias.register_fake
def _(a: Tensor, b: Tensor) -> Tensor:
    return a.new_empty(a.shape[0], b.shape[0])


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(inputs[0], inputs[1])


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    input, weight = ctx.saved_tensors
    needs_input, needs_weight, needs_bias = ctx.needs_input_grad
    return (
        _product_without_bias(grad, weight.t()) if needs_input else None,
        _product_without_bias(grad.t(), input.t()) if needs_weight else None,
        grad.sum(0) if needs_bias else None,
    )


_linear.register_autograd(_backward, setup_context=_setup_context)
