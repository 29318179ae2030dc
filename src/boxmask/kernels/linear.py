"""Fully connected layers by oneDNN instead of MKL.

The two FC layers of a box head are half of a training step once its convolutions are fast. PyTorch hands
their matrix products to MKL, which leaves the wide registers of some processors unused (on AMD with AVX-512
it reached 140 to 180 GFLOP/s where oneDNN, which ships with PyTorch too, reached 200). oneDNN's product has
no public name for dense tensors; the one used here is what `torch.compile` calls, and where a build of
PyTorch lacks it the layer is `F.linear`.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.kernels.tracing import is_exporting

_FEWEST_PRODUCTS = 2**24  # multiplications; below it a call's overhead counts more than the arithmetic


def linear(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """input (R, C), weight (K, C), bias (K,) -> (R, K), like `F.linear`; can be differentiated once."""
    if not _pays(input, weight):
        return F.linear(input, weight, bias)
    return cast(Tensor, _linear(input, weight, bias))


def _pays(input: Tensor, weight: Tensor) -> bool:
    plain = input.device.type == "cpu" and input.dtype == weight.dtype == torch.float32
    if not plain or torch.is_autocast_enabled("cpu"):
        return False
    if is_exporting() or not torch.backends.mkldnn.is_available():
        return False
    return input.numel() * len(weight) >= _FEWEST_PRODUCTS and hasattr(torch.ops.mkldnn, "_linear_pointwise")


@torch.library.custom_op("boxmask::linear", mutates_args=(), device_types="cpu")
def _linear(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return _product(input, weight, bias)


@torch.library.custom_op("boxmask::product", mutates_args=(), device_types="cpu")
def _product_of(a: Tensor, b: Tensor) -> Tensor:
    return _product(a, b, None)


def _product(a: Tensor, b: Tensor, bias: Tensor | None) -> Tensor:
    """a (m, k), b (n, k) -> a b^T + bias, (m, n)."""
    return cast(Tensor, torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], ""))


@_linear.register_fake
def _(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return input.new_empty(input.shape[0], weight.shape[0])


@_product_of.register_fake
def _(a: Tensor, b: Tensor) -> Tensor:
    return a.new_empty(a.shape[0], b.shape[0])


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(inputs[0], inputs[1])


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    input, weight = ctx.saved_tensors
    to_input, to_weight, to_bias = ctx.needs_input_grad
    return (
        _product_of(grad, weight.t()) if to_input else None,
        _product_of(grad.t(), input.t()) if to_weight else None,
        grad.sum(0) if to_bias else None,
    )


_linear.register_autograd(_backward, setup_context=_setup_context)
