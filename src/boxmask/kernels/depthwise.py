"""Depthwise convolutions with wide kernels, with our own gradient of the weights.

oneDNN's gradient of the weights is fast for 3x3 depthwise kernels and slow for 5x5: it takes five to forty
times as long as the forward pass, a fifth of a training step of EfficientNet-Lite0 or MobileNetV3.
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

_CHANNELS_PER_TASK = 128  # their sums stay in the cache
_MIN_SIDE = 5  # of a kernel; the loop does not pay off for smaller ones


def depthwise(input: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
    """Compute `F.conv2d(..., groups=C)`: input (N, C, H, W), weight (C, 1, S, S), bias (C,).

    If the weight needs a gradient that our loop computes, the result is differentiable once.
    """
    if not _pays_off(input, weight, bias):
        return F.conv2d(input, weight, bias, stride, padding, groups=len(weight))
    return cast(Tensor, _depthwise(input, weight, bias, stride, padding))


def _pays_off(input: Tensor, weight: Tensor, bias: Tensor) -> bool:
    """Return True if the weight of a wide kernel needs a gradient, on a CPU in float32."""
    if not (torch.is_grad_enabled() and weight.requires_grad) or is_exporting():
        return False
    if torch.is_autocast_enabled("cpu") or not input.numel():
        return False
    supported = all(x.device.type == "cpu" and x.dtype == torch.float32 for x in (input, weight, bias))
    square = weight.shape[1:] == (1, weight.shape[3], weight.shape[3])
    return supported and square and len(weight) == input.shape[1] and weight.shape[3] >= _MIN_SIDE


@torch.library.custom_op("boxmask::depthwise", mutates_args=(), device_types="cpu")
def _depthwise(input: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
    return F.conv2d(input, weight, bias, stride, padding, groups=len(weight))


@torch.library.custom_op("boxmask::depthwise_weight_gradient", mutates_args=(), device_types="cpu")
def _weight_gradient(grad: Tensor, input: Tensor, side: int, stride: int, padding: int) -> Tensor:
    grad_maps, maps = channels_last(grad), channels_last(input)
    images, channels = len(maps), maps.shape[3]
    # One sum per image, so that the result does not depend on the number of threads.
    sums = torch.zeros(images, side, side, channels)
    out = sums.numpy()

    def add(task: tuple[int, int]) -> None:
        image, begin = task
        block = slice(begin, min(begin + _CHANNELS_PER_TASK, channels))
        correlate(maps[image], grad_maps[image], stride, padding, block, out[image])

    starts = range(0, channels, _CHANNELS_PER_TASK)
    parallel_for(add, [(image, begin) for image in range(images) for begin in starts])
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
    needs_input, needs_weight, needs_bias = ctx.needs_input_grad[:3]
    return (
        _input_gradient(grad, input, weight, ctx.stride, ctx.padding) if needs_input else None,
        _weight_gradient(grad, input, weight.shape[3], ctx.stride, ctx.padding) if needs_weight else None,
        grad.sum((0, 2, 3)) if needs_bias else None,
        None,
        None,
    )


def _input_gradient(grad: Tensor, input: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    # This operator is public: it belongs to PyTorch's documented Core ATen set. `torch.nn.grad.conv2d_input`
    # calls it too, but without the input, from which the memory layout is chosen.
    gradients = torch.ops.aten.convolution_backward(
        grad,
        input,
        weight,
        bias_sizes=None,
        stride=[stride, stride],
        padding=[padding, padding],
        dilation=[1, 1],
        transposed=False,
        output_padding=[0, 0],
        groups=len(weight),
        output_mask=[True, False, False],
    )
    return cast(Tensor, gradients[0])


_depthwise.register_autograd(_backward, setup_context=_setup_context)
