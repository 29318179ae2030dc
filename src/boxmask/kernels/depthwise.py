"""Depthwise convolutions with wide kernels, whose weights learn by a loop of ours.

oneDNN has a fast gradient of the weights for 3x3 depthwise kernels, and a slow one for 5x5: five to forty
times as long as the forward pass, a fifth of a training step of EfficientNet-Lite0 and of MobileNetV3.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.kernels.depthwise_loops import correlate
from boxmask.kernels.layout import channels_last
from boxmask.kernels.threads import parallel_for
from boxmask.kernels.tracing import is_exporting

_AT_ONCE = 128  # channels a task: what it adds up stays in the cache
_NARROWEST = 5  # side of the kernels for which it pays


def depthwise(input: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
    """input (N, C, H, W), weight (C, 1, S, S), bias (C,) -> like `F.conv2d(..., groups=C)`.

    Forward it is `F.conv2d`; where the weight learns it can be differentiated once.
    """
    if not _pays(input, weight, bias):
        return F.conv2d(input, weight, bias, stride, padding, groups=len(weight))
    return cast(Tensor, _depthwise(input, weight, bias, stride, padding))


def _pays(input: Tensor, weight: Tensor, bias: Tensor) -> bool:
    """Whether a gradient of a wide kernel will be wanted, on a CPU in float32."""
    if not (torch.is_grad_enabled() and weight.requires_grad) or is_exporting():
        return False
    if torch.is_autocast_enabled("cpu") or not input.numel():
        return False
    plain = all(x.device.type == "cpu" and x.dtype == torch.float32 for x in (input, weight, bias))
    square = weight.shape[1:] == (1, weight.shape[3], weight.shape[3])
    return plain and square and len(weight) == input.shape[1] and weight.shape[3] >= _NARROWEST


@torch.library.custom_op("boxmask::depthwise", mutates_args=(), device_types="cpu")
def _depthwise(input: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
    return F.conv2d(input, weight, bias, stride, padding, groups=len(weight))


@torch.library.custom_op("boxmask::depthwise_weight_gradient", mutates_args=(), device_types="cpu")
def _weight_gradient(grad: Tensor, input: Tensor, side: int, stride: int, padding: int) -> Tensor:
    given, source = channels_last(grad), channels_last(input)
    photos, channels = len(source), source.shape[3]
    sums = torch.zeros(photos, side, side, channels)  # of each photo: the same with any number of threads
    out = sums.numpy()

    def add(task: tuple[int, int]) -> None:
        photo, begin = task
        span = slice(begin, min(begin + _AT_ONCE, channels))
        correlate(source[photo], given[photo], stride, padding, span, out[photo])

    parallel_for(add, [(photo, begin) for photo in range(photos) for begin in range(0, channels, _AT_ONCE)])
    return sums.sum(0).permute(2, 0, 1)[:, None].contiguous()


@_depthwise.register_fake
def _(input: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
    return F.conv2d(input, weight, bias, stride, padding, groups=len(weight))


@_weight_gradient.register_fake
def _(grad: Tensor, input: Tensor, side: int, stride: int, padding: int) -> Tensor:
    return input.new_empty(input.shape[1], 1, side, side)


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(inputs[0], inputs[1])
    ctx.stride, ctx.padding = inputs[3:]


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    input, weight = ctx.saved_tensors
    to_input, to_weight, to_bias = ctx.needs_input_grad[:3]
    stride, padding, groups = [ctx.stride] * 2, [ctx.padding] * 2, len(weight)
    backward = torch.ops.aten.convolution_backward
    form = (None, stride, padding, [1, 1], False, [0, 0], groups, [True, False, False])
    return (
        backward(grad, input, weight, *form)[0] if to_input else None,
        _weight_gradient(grad, input, weight.shape[3], ctx.stride, ctx.padding) if to_weight else None,
        grad.sum((0, 2, 3)) if to_bias else None,
        None,
        None,
    )


_depthwise.register_autograd(_backward, setup_context=_setup_context)
